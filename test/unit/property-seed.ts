import fc from "fast-check";

/** The same cases every time, so that a change is what makes a property fail; `PROPERTY_SEED=$RANDOM` looks for others. */
fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? 20_261_122) });

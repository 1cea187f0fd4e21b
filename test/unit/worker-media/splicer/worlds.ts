import fc from "fast-check";
import type { CompositeShape, HostShape, World } from "./world.ts";

const SOUND_RATES = [44_100, 48_000, undefined] as const;
/** Where time on the wire starts: anywhere, and just ahead of what is carried in 24, 31 and 32 bits. */
export const startMs = fc.oneof(
	fc.integer({ min: 0, max: 2 ** 32 - 1 }),
	fc.constantFrom(2 ** 24, 2 ** 31, 2 ** 32).chain((end) => fc.integer({ min: end - 20_000, max: end - 1 })),
);

export const hostShape: fc.Arbitrary<HostShape> = fc.record({
	frameRate: fc.integer({ min: 15, max: 60 }),
	reorders: fc.boolean(),
	soundRate: fc.constantFrom(...SOUND_RATES),
	groupMs: fc.integer({ min: 500, max: 10_000 }),
	startMs,
	jitterMs: fc.integer({ min: 0, max: 60 }),
	pace: fc.constantFrom(1, 1, 1.0002, 0.9998),
});

export const compositeShape: fc.Arbitrary<CompositeShape> = fc.record({
	frameRate: fc.constantFrom(25, 30, 60),
	soundRate: fc.constantFrom(44_100, 48_000),
	groupMs: fc.constant(2_000),
	lagMs: fc.integer({ min: 30, max: 400 }),
});

/** Something that happens in a world, which it shows itself by. */
export interface Happening {
	readonly afterMs: number;
	readonly kind: string;
	readonly ms: number;
}

const HAPPENINGS: Readonly<Record<string, (world: World, ms: number) => void>> = {
	"prefer host": ({ splicer }) => splicer.prefer("host"),
	"prefer composite": ({ splicer }) => splicer.prefer("composite"),
	"composite starts": ({ composite }) => composite.start(),
	"composite dies": ({ composite }) => composite.die(),
	"composite closes": ({ composite }) => composite.disconnect(),
	"composite stalls": ({ composite }, ms) => composite.stall(ms),
	"composite stalls and loses": ({ composite }, ms) => composite.stall(ms, true),
	"host vanishes": ({ host }) => host.vanish(),
	"host closes": ({ host }) => host.disconnect(),
	"host connects": ({ host }, ms) => host.connect(ms * 1_000_000),
	"host connects at zero": ({ host }) => host.connect(0),
	"host stalls": ({ host }, ms) => host.stall(ms),
	"host stalls and loses": ({ host }, ms) => host.stall(ms, true),
	"host's clock is put forward": ({ host }, ms) => host.jump(ms * 5),
	"host's clock is put back": ({ host }, ms) => host.jump(-ms * 5),
	"host's sound stops": ({ host }) => {
		host.hasSound = false;
	},
	"host's sound comes": ({ host }) => {
		host.hasSound = true;
	},
	"host's pictures stop": ({ host }) => {
		host.hasPictures = false;
	},
	"host's pictures come": ({ host }) => {
		host.hasPictures = true;
	},
	"host becomes unfit": ({ splicer }) => splicer.setHostFit(false),
	"host becomes fit": ({ splicer }) => splicer.setHostFit(true),
};

export function happenings(
	kinds: readonly string[] = Object.keys(HAPPENINGS),
	maxLength = 12,
): fc.Arbitrary<Happening[]> {
	return fc.array(
		fc.record({
			afterMs: fc.integer({ min: 0, max: 4_000 }),
			kind: fc.constantFrom(...kinds),
			ms: fc.integer({ min: 50, max: 4_000 }),
		}),
		{ minLength: 1, maxLength },
	);
}

export function happen(world: World, happening: Happening): void {
	HAPPENINGS[happening.kind]?.(world, happening.ms);
}

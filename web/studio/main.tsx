import { openPage } from "../ui/attend/open-page.tsx";
import { Studio } from "./studio.tsx";
import "./studio.css";

openPage({ role: "host", room: (props) => <Studio {...props} /> });

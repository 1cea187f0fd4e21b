import { openPage } from "../ui/attend/open-page.tsx";
import { Conversation } from "./conversation.tsx";
import "./join.css";

openPage({ role: "guest", room: (props) => <Conversation {...props} /> });

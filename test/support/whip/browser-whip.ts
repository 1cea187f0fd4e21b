import type { Page } from "puppeteer-core";

declare global {
	interface Window {
		whip: { readonly location: string; readonly connection: RTCPeerConnection };
	}
}

/** Publishes a browser's fake camera and microphone by WHIP with nothing but `fetch` and RTCPeerConnection, candidates told as they come. */
export async function whipFromBrowser(page: Page, endpoint: string, bearer: string): Promise<void> {
	await page.evaluate(
		async (url, token) => {
			const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
			const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
			const early: RTCIceCandidate[] = [];
			let tell: ((candidate: RTCIceCandidate) => void) | undefined;
			connection.onicecandidate = ({ candidate }) => {
				if (candidate !== null && candidate.candidate !== "") {
					tell === undefined ? early.push(candidate) : tell(candidate);
				}
			};
			for (const track of media.getTracks()) {
				connection.addTransceiver(track, { direction: "sendonly", streams: [media] });
			}
			await connection.setLocalDescription();
			const posted = await fetch(url, {
				method: "POST",
				headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/sdp" },
				body: connection.localDescription?.sdp ?? "",
			});
			if (posted.status !== 201) {
				throw new Error(`whip: expected 201, got ${posted.status} ${await posted.text()}`);
			}
			const location = new URL(posted.headers.get("Location") ?? "", url).href;
			const etag = posted.headers.get("ETag") ?? "";
			await connection.setRemoteDescription({ type: "answer", sdp: await posted.text() });
			tell = ({ candidate, sdpMid, usernameFragment }) => {
				const password = /^a=ice-pwd:(\S+)/m.exec(connection.localDescription?.sdp ?? "")?.[1];
				const lines = [
					`a=ice-ufrag:${usernameFragment}`,
					`a=ice-pwd:${password}`,
					"m=audio 9 UDP/TLS/RTP/SAVPF 0",
					`a=mid:${sdpMid}`,
					`a=${candidate}`,
				];
				void fetch(location, {
					method: "PATCH",
					headers: { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": etag },
					body: `${lines.join("\r\n")}\r\n`,
				});
			};
			early.forEach(tell);
			window.whip = { location, connection };
		},
		endpoint,
		bearer,
	);
}

/** Restarts ICE (RFC 9725 §4.3.3); gives the local candidate's user fragment that the connection goes by afterwards. */
export async function restartIce(page: Page): Promise<{ readonly state: string; readonly isNew: boolean }> {
	return page.evaluate(async () => {
		const { connection, location } = window.whip;
		const before = /^a=ice-ufrag:(\S+)/m.exec(connection.remoteDescription?.sdp ?? "")?.[1];
		connection.onicecandidate = null;
		connection.restartIce();
		await connection.setLocalDescription();
		await new Promise<void>((resolve) => {
			const look = () => connection.iceGatheringState === "complete" && resolve();
			connection.onicegatheringstatechange = look;
			look();
		});
		const lines = (connection.localDescription?.sdp ?? "").split("\r\n");
		const first = lines.findIndex((line) => line.startsWith("m="));
		const rest = lines.slice(first + 1).findIndex((line) => line.startsWith("m="));
		const section = lines.slice(first, rest === -1 ? undefined : first + 1 + rest);
		const fragment = section.filter((line) => /^(m=|a=(mid|ice-ufrag|ice-pwd|candidate|end-of-candidates))/.test(line));
		const patched = await fetch(location, {
			method: "PATCH",
			headers: { "Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*" },
			body: `${fragment.join("\r\n")}\r\n`,
		});
		const text = await patched.text();
		if (patched.status !== 200) {
			throw new Error(`whip: expected 200, got ${patched.status} ${text}`);
		}
		const [, ufrag] = /^a=ice-ufrag:(\S+)/m.exec(text) ?? [];
		const [, password] = /^a=ice-pwd:(\S+)/m.exec(text) ?? [];
		const candidates = text.split("\r\n").filter((line) => line.startsWith("a=candidate:"));
		// The answer as it was, but for what the fragment says.
		const answer = (connection.remoteDescription?.sdp ?? "")
			.replaceAll(/^a=candidate:.*\r\n/gm, "")
			.replaceAll(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${ufrag}`)
			.replaceAll(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${password}`)
			.replace(/^(a=mid:.*\r\n)/m, `$1${candidates.map((line) => `${line}\r\n`).join("")}`);
		await connection.setRemoteDescription({ type: "answer", sdp: answer });
		await new Promise<void>((resolve) => {
			const look = () => ["connected", "completed"].includes(connection.iceConnectionState) && resolve();
			connection.oniceconnectionstatechange = look;
			setTimeout(resolve, 10_000);
			look();
		});
		return { state: connection.connectionState, isNew: ufrag !== before };
	});
}

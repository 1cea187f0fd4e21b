/** Network Information API, where there is one. */
interface ConnectedNavigator {
	readonly connection?: EventTarget;
}

/** A page that was hidden is looked after when it is seen again: phones cut off what they do not show. */
export function onNetworkChange(listener: () => void): () => void {
	const { connection } = navigator as ConnectedNavigator;
	const onPageShow = ({ persisted }: PageTransitionEvent) => {
		if (persisted) {
			listener();
		}
	};
	window.addEventListener("online", listener);
	window.addEventListener("pageshow", onPageShow);
	// Page Lifecycle: goes on after the browser has frozen it.
	document.addEventListener("resume", listener);
	connection?.addEventListener("change", listener);
	return () => {
		window.removeEventListener("online", listener);
		window.removeEventListener("pageshow", onPageShow);
		document.removeEventListener("resume", listener);
		connection?.removeEventListener("change", listener);
	};
}

/** Left for good: a page that the browser keeps may come back. */
export function onPageGone(listener: () => void): () => void {
	const onPageHide = ({ persisted }: PageTransitionEvent) => {
		if (!persisted) {
			listener();
		}
	};
	window.addEventListener("pagehide", onPageHide);
	return () => window.removeEventListener("pagehide", onPageHide);
}

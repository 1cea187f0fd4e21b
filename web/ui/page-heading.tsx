import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** What a screen is about. It has the focus as the screen comes, so that whoever hears the page is told, and Tab goes on from there. */
export function PageHeading({ children }: { readonly children: ComponentChildren }) {
	const heading = useRef<HTMLHeadingElement>(null);
	useEffect(() => heading.current?.focus({ preventScroll: true }), []);
	return (
		<h1 ref={heading} tabIndex={-1}>
			{children}
		</h1>
	);
}

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icon.tsx";

export interface DialogProps {
	readonly title: string;
	readonly children: ComponentChildren;
	/** By the button, Escape, or a click beside it. */
	onClose(): void;
}

/** A modal dialog while it is rendered: the browser's own, which keeps the focus inside and gives it back. */
export function Dialog({ title, children, onClose }: DialogProps) {
	const dialog = useRef<HTMLDialogElement>(null);
	const titleId = useId();
	useEffect(() => {
		const shown = dialog.current;
		shown?.showModal();
		return () => shown?.close();
	}, []);
	return (
		<dialog
			ref={dialog}
			class="dialog"
			aria-labelledby={titleId}
			onCancel={(event) => {
				event.preventDefault();
				onClose();
			}}
			onPointerDown={(event) => event.target === dialog.current && onClose()}
		>
			<div class="dialog-body">
				<header class="dialog-head">
					<h2 id={titleId}>{title}</h2>
					<button type="button" class="icon-button" aria-label="Close" onClick={onClose}>
						<Icon name="close" />
					</button>
				</header>
				{children}
			</div>
		</dialog>
	);
}

export interface ConfirmProps {
	readonly title: string;
	readonly text: string;
	/** What the button does, as a verb. */
	readonly action: string;
	readonly danger?: boolean;
	/** The dialog stays while it runs, and says what went wrong. */
	readonly busy?: boolean;
	readonly error?: string | undefined;
	onConfirm(): void;
	onClose(): void;
}

export function Confirm({ title, text, action, danger, busy, error, onConfirm, onClose }: ConfirmProps) {
	return (
		<Dialog title={title} onClose={onClose}>
			<p>{text}</p>
			{error !== undefined && (
				<p class="fault" role="alert">
					{error}
				</p>
			)}
			<div class="actions">
				<button type="button" class="button" onClick={onClose}>
					Not now
				</button>
				<button
					type="button"
					class={danger === true ? "button danger" : "button primary"}
					disabled={busy === true}
					onClick={onConfirm}
				>
					{busy === true ? "One moment…" : action}
				</button>
			</div>
		</Dialog>
	);
}

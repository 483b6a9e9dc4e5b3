// What the type checker's library does not know of browsers.

interface BeforeInstallPromptEvent extends Event {
  prompt(): Promise<unknown>;
}

interface TrustedTypePolicyFactory {
  createPolicy(
    name: string,
    rules: { createScriptURL(input: string): string },
  ): { createScriptURL(input: string): unknown };
}

declare var trustedTypes: TrustedTypePolicyFactory | undefined;

/** What the desktop program gives its page (Tauri's `withGlobalTauri`). */
declare var __TAURI__:
  | { core: { invoke(command: string, values?: Record<string, unknown>): Promise<any> } }
  | undefined;

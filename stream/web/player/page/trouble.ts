// What can go wrong, each in plain words with what to do about it.

import type { Leave } from "../core/port.ts";

export interface Trouble {
  readonly title: string;
  readonly text: string;
  /** The server's or the browser's own words. */
  readonly detail?: string;
  /** What the button says; it tries again. */
  readonly again: string;
}

const NEWER_BROWSER = "Open the link in Chrome, Edge or another browser of 2023 or newer that is made of Chromium, or in a recent Firefox; or play with `stratus play LINK`.";

export const TROUBLES = {
  noSecret: {
    title: "This link is not complete",
    text: "The part behind # is missing or damaged; it is the key to the game. Copy the whole link as `stratus run` printed it.",
    again: "Load again",
  },
  insecure: {
    title: "This address is not secure",
    text: "Browsers stream only from https addresses and from this computer itself. Open the link with https, or on the computer that runs the game.",
    again: "Load again",
  },
  noWebTransport: {
    title: "This browser cannot receive the stream",
    text: `It has no WebTransport. ${NEWER_BROWSER}`,
    again: "Load again",
  },
  noPinning: {
    title: "This browser cannot check the server's certificate",
    text: `It does not know serverCertificateHashes, which stands for a certificate that nobody vouches for. ${NEWER_BROWSER}`,
    again: "Load again",
  },
  noWebCodecs: {
    title: "This browser cannot decode the picture",
    text: `It has no WebCodecs video decoder. ${NEWER_BROWSER}`,
    again: "Load again",
  },
  noH264: {
    title: "This browser cannot decode the picture",
    text: "It has no decoder for H.264. Browsers without licensed codecs lack it: take another, or install its codecs.",
    again: "Load again",
  },
  noCanvas: {
    title: "This browser cannot draw in the background",
    text: `It has no OffscreenCanvas. ${NEWER_BROWSER}`,
    again: "Load again",
  },
  expired: {
    title: "The server's certificate has expired",
    text: "It is valid for two weeks at most, because browsers ask for that. Start `stratus run` again and open its new link. If it is new, look at this computer's clock.",
    again: "Try again",
  },
  token: {
    title: "This link does not open this game",
    text: "Its key is not the session's: the link is of another session or was changed. Take the newest link from `stratus run`.",
    again: "Try again",
  },
  busy: {
    title: "Someone else is playing",
    text: "One person plays at a time. Wait until they leave, or ask the host for the link for viewers.",
    again: "Try again",
  },
  replaced: {
    title: "The game moved to another window",
    text: "You opened this link in another tab or window, and the game goes on there.",
    again: "Play here",
  },
  version: {
    title: "This page is of another version than the server",
    text: "Load the page again. If that does not help, the browser kept an old copy: load it without the cache (Ctrl+Shift+R).",
    again: "Load again",
  },
  gone: {
    title: "The server is gone",
    text: "Nothing answers at this address any more. The session ended, the machine sleeps, or the network is down. If the game still runs, try again.",
    again: "Try again",
  },
  noUdp: {
    title: "The stream does not get through",
    text: "The page came from the server, but its stream did not: it uses UDP on the same port, which a firewall or proxy may stop. Let UDP through, or use another network.",
    again: "Try again",
  },
  fault: {
    title: "Page and server did not understand each other",
    text: "That is a fault of Stratus. Loading the page again may help; the server's log says more.",
    again: "Load again",
  },
  left: {
    title: "You left the game",
    text: "It goes on without you. Come back whenever you like.",
    again: "Play on",
  },
} as const satisfies Record<string, Trouble>;

const ENDINGS: Readonly<Record<number, string>> = {
  0: "The game ended",
  1: "The session was stopped",
  2: "The session broke off",
  3: "The session broke off",
};

/** What to say of an end that trying again does not mend; undefined if it may. */
export function troubleOf(leave: Leave): Trouble | undefined {
  switch (leave.why) {
    case "refused":
      return refusal(leave.code, leave.text);
    case "ended":
      return {
        title: ENDINGS[leave.code] ?? "The session ended",
        text: "To play again, start `stratus run` again and open the link that it prints.",
        detail: leave.text,
        again: "Try again",
      };
    case "undecodable":
      return { ...TROUBLES.noH264, detail: leave.text };
    case "malformed":
      return { ...TROUBLES.fault, detail: leave.text };
    case "lost":
    case "unreachable":
      return undefined;
  }
}

function refusal(code: number, detail: string): Trouble | undefined {
  switch (code) {
    case 1:
      return { ...TROUBLES.version, detail };
    case 2:
      return { ...TROUBLES.token, detail };
    case 6:
      return { ...TROUBLES.busy, detail };
    case 10:
      return TROUBLES.replaced;
    // A hello that was late, a stream that was not taken, a fault of the server: a new connection may do better.
    case 5:
    case 8:
    case 9:
      return undefined;
    default:
      return { ...TROUBLES.fault, detail: `${detail} (code ${code})` };
  }
}

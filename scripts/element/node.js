// What Node has and a browser has not.
export { Buffer } from "buffer";
export const process = { env: {}, browser: true, version: "", nextTick: (call, ...given) => queueMicrotask(() => call(...given)) };

// Where Element keeps what it has synced.
import { IndexedDBStoreWorker } from "matrix-js-sdk/src/indexeddb-worker";

const worker = new IndexedDBStoreWorker(self.postMessage.bind(self));
self.onmessage = worker.onMessage;

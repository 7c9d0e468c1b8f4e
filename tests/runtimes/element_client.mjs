// A person with the library of Element Web (matrix-js-sdk and its Rust cryptography), who verifies one device of another.
// What it has to say are lines of JSON after "##"; everything else is the library's own log.
import * as sdk from "matrix-js-sdk";

const [url, user, device, token, room, other, otherDevice, way] = process.argv.slice(2);
const READY = 3;
const say = (told) => process.stdout.write(`##${JSON.stringify(told)}\n`);

const client = sdk.createClient({ baseUrl: url, userId: user, deviceId: device, accessToken: token });
await client.initRustCrypto({ useIndexedDB: false });
await client.startClient({ initialSyncLimit: 10 });
await new Promise((go) => client.once("sync", go));
const crypto = client.getCrypto();
await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: async (upload) => upload(null) });
await crypto.getUserDeviceInfo([other], true);

const status = async () => {
  await crypto.getUserDeviceInfo([other], true);
  const [ofDevice, ofUser] = await Promise.all([
    crypto.getDeviceVerificationStatus(other, otherDevice),
    crypto.getUserVerificationStatus(other),
  ]);
  return { signed: Boolean(ofDevice?.signedByOwner), trusted: Boolean(ofDevice?.crossSigningVerified), person: ofUser.isCrossSigningVerified() };
};

const compare = async (verifier) => {
  verifier.on("show_sas", async ({ sas, confirm }) => {
    say({ symbols: sas.emoji });
    await confirm();
  });
  await verifier.verify();
  let found = await status();
  while (!found.trusted) {
    await new Promise((go) => setTimeout(go, 200)); // its signatures are on their way
    found = await status();
  }
  say({ end: found });
  process.exit(0);
};

const follow = (request, next) => {
  let begun = false;
  const look = async () => {
    const verifier = begun ? null : await next(request);
    if (verifier) {
      begun = true;
      await compare(verifier);
    }
  };
  request.on("change", look);
  return look();
};

const begin = async (request) => {
  if (request.phase !== READY || request.asked) return null;
  request.asked = true;
  return request.startVerification("m.sas.v1");
};

if (way === "asked") {
  client.on("crypto.verificationRequestReceived", async (request) => {
    await request.accept();
    await follow(request, async () => request.verifier);
  });
}
say({ ready: await status() });
if (way === "room") await follow(await crypto.requestVerificationDM(other, room), begin);
if (way === "device") await follow(await crypto.requestDeviceVerification(other, otherDevice), begin);

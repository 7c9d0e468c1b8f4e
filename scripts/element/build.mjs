// Puts matrix-react-sdk, which is Element Web's views, together as a page in dist/.
// Element Web itself is not on npm; it builds the same modules with webpack. What pictures do not need
// (voice messages, blurred previews) is left out.
import esbuild from "esbuild";
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";
import postcss from "postcss";

const require = createRequire(import.meta.url);
const sdk = fs.realpathSync("node_modules/matrix-react-sdk");

/** Return where a file of res/ lies that compiled code names as if it were source. */
function resource(directory, name) {
    const found = path.resolve(directory, name);
    return fs.existsSync(found) ? found : found.replace(/^.*?\/res\//, `${sdk}/res/`);
}

/** Return a drawing as the module that Element's webpack makes of it: its address, and itself as a component. */
function drawing(file) {
    const text = fs.readFileSync(file, "utf8");
    const [, head = "", body = ""] = /<svg([^>]*)>([\s\S]*)<\/svg>/.exec(text) ?? [];
    const given = [...head.matchAll(/([\w:-]+)="([^"]*)"/g)].filter(([, key]) => !/^(xmlns.*|style|class)$/.test(key));
    const props = Object.fromEntries(given.map(([, key, value]) => [key.replace(/-(\w)/g, (_, c) => c.toUpperCase()), value]));
    const address = `img/${path.basename(file)}`;
    fs.mkdirSync("dist/img", { recursive: true });
    fs.writeFileSync(`dist/${address}`, text);
    return `
        const React = require("react");
        const inner = { dangerouslySetInnerHTML: { __html: ${JSON.stringify(body)} }, children: undefined };
        const Icon = React.forwardRef((given, ref) =>
            React.createElement("svg", { ref, ...${JSON.stringify(props)}, ...given, ...inner }));
        module.exports = { __esModule: true, default: ${JSON.stringify(address)}, Icon, ReactComponent: Icon };`;
}

const drawings = {
    name: "drawings",
    setup(build) {
        build.onResolve({ filter: /\.svg$/ }, async (asked) => {
            if (asked.pluginData === "asked again") return undefined;
            if (asked.path.startsWith(".")) return { path: resource(asked.resolveDir, asked.path), namespace: "drawing" };
            const { resolveDir, kind } = asked;
            const found = await build.resolve(asked.path, { resolveDir, kind, pluginData: "asked again" });
            return { path: found.path, namespace: "drawing" };
        });
        build.onLoad({ filter: /.*/, namespace: "drawing" }, ({ path: file }) => ({
            contents: drawing(file), loader: "js", resolveDir: process.cwd(),
        }));
    },
};

const UTIL = `exports.isArray = Array.isArray; exports.isDate = (v) => v instanceof Date; exports.inspect = String;
exports.inherits = (child, parent) => Object.setPrototypeOf(child.prototype, parent.prototype);
exports.TextEncoder = TextEncoder; exports.TextDecoder = TextDecoder;`;
const MODULES = {
    util: UTIL,
    worker: "exports.__esModule = true; exports.default = () => new Worker('worker.js');",
    nothing: "exports.__esModule = true; exports.default = () => new Worker(URL.createObjectURL(new Blob([''])));",
};

const surroundings = {
    name: "surroundings",
    setup(build) {
        const made = (name) => () => ({ path: name, namespace: "made" });
        build.onLoad({ filter: /.*/, namespace: "made" }, ({ path: name }) => ({ contents: MODULES[name] }));
        build.onResolve({ filter: /^util$/ }, made("util"));
        build.onResolve({ filter: /indexeddbWorkerFactory$/ }, made("worker"));
        build.onResolve({ filter: /(recorderWorklet|blurhashWorker|playbackWorker)Factory$|\.wasm$/ }, made("nothing"));
        build.onResolve({ filter: /^(fs|path|crypto|net|tls|stream|http|https|url|zlib|os)$/ }, made("nothing"));
        build.onResolve({ filter: /^\$webapp\// }, (asked) => ({ path: path.resolve("dist", asked.path.slice(8)) }));
        build.onResolve({ filter: /\.(png|gif|ogg|jpg)$/ }, (asked) => ({ path: resource(asked.resolveDir, asked.path) }));
        // Compiled modules name their sources in places: each must be there once.
        build.onResolve({ filter: /\/src\/|^\.\.?\/.*\.tsx?$/ }, (asked) => {
            const at = asked.path.startsWith(".") ? path.resolve(asked.resolveDir, asked.path) : path.resolve("node_modules", asked.path);
            if (!at.startsWith(`${sdk}/src/`) && !at.startsWith(`${sdk}/lib/`)) return undefined;
            const stem = at.replace(`${sdk}/src/`, `${sdk}/lib/`).replace(/\.tsx?$/, "");
            const found = [`${stem}.js`, `${stem}/index.js`, stem].find((file) => fs.existsSync(file));
            return found ? { path: found } : undefined;
        });
        build.onResolve({ filter: /^matrix-js-sdk$/ }, () => ({ path: path.resolve("node_modules/matrix-js-sdk/src/index.ts") }));
        build.onResolve({ filter: /^matrix-js-sdk\/lib\// }, ({ path: name, resolveDir, kind }) =>
            build.resolve(name.replace("/lib/", "/src/"), { resolveDir, kind }));
        build.onResolve({ filter: /^!!raw-loader!/ }, (asked) => {
            const file = path.resolve(asked.resolveDir, asked.path.slice(13));
            return { path: [file, `${file}.js`].find(fs.existsSync) ?? file.replace("/lib/", "/src/"), namespace: "raw" };
        });
        build.onLoad({ filter: /.*/, namespace: "raw" }, ({ path: file }) => ({ contents: fs.readFileSync(file, "utf8"), loader: "text" }));
    },
};

async function theme() {
    const from = `${sdk}/res/themes/light/css/light.pcss`;
    const plugins = [
        require("postcss-import")({
            resolve: (name, base) => {
                const file = path.resolve(base, name.replace(/^~/, ""));
                return fs.existsSync(file) ? file : require.resolve(name, { paths: [base, process.cwd()] });
            },
        }),
        ...["mixins", "simple-vars", "nested", "easings", "hexrgba"].map((name) => require(`postcss-${name}`)()),
    ];
    const text = fs.readFileSync(from, "utf8").replace(/@import url\("(.*?)"\)/g, '@import "$1"');
    const { css } = await postcss(plugins).process(text, { from, syntax: require("postcss-scss") });
    return css.replace(/url\(["']?([^"')?#]*)[^"')]*["']?\)/g, (all, name) => {
        const short = name.replace(/^\$\(res\)\//, "").replace(/^(\.\.\/)*(res\/)?/, "");
        const file = [`${sdk}/res/${short}`, path.resolve("node_modules", name)].find((one) => name && fs.existsSync(one));
        if (file === undefined) return all;
        fs.cpSync(file, `dist/res/${short}`);
        return `url("res/${short}")`;
    });
}

const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Element</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="theme.css" data-mx-theme="light"></head>
<body><section id="matrixchat" style="height:100%"></section><script src="app.js"></script></body></html>`;

fs.mkdirSync("dist/i18n", { recursive: true });
fs.writeFileSync("dist/i18n/languages.json", '{"en": "en_EN.json"}');
fs.cpSync(`${sdk}/src/i18n/strings/en_EN.json`, "dist/i18n/en_EN.json");
fs.writeFileSync("dist/index.html", PAGE);
fs.writeFileSync("dist/theme.css", await theme());
await esbuild.build({
    entryPoints: ["app.js", "worker.js"],
    outdir: "dist",
    bundle: true,
    format: "iife",
    platform: "browser",
    mainFields: ["matrix_src_browser", "matrix_src_main", "browser", "module", "main"],
    define: { "global": "window", "process.env.NODE_ENV": '"production"' },
    inject: ["./node.js"],
    loader: { ".png": "file", ".gif": "file", ".jpg": "file", ".ogg": "file", ".woff2": "file" },
    assetNames: "img/[name]",
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true, jsx: "react", useDefineForClassFields: true } },
    plugins: [drawings, surroundings],
    logLevel: "error",
});

// Starts Element's views as Element Web does: words first, then the homeserver's address, then the page.
import "matrix-js-sdk/src/browser-index";
import React from "react";
import ReactDOM from "react-dom";
import PlatformPeg from "matrix-react-sdk/lib/PlatformPeg";
import BasePlatform from "matrix-react-sdk/lib/BasePlatform";
import SdkConfig from "matrix-react-sdk/lib/SdkConfig";
import * as languageHandler from "matrix-react-sdk/lib/languageHandler";

class Platform extends BasePlatform {
    getHumanReadableName() { return "Web"; }
    getAppVersion() { return Promise.resolve("pictures"); }
    getDefaultDeviceDisplayName() { return "Element Web"; }
    requestNotificationPermission() { return Promise.resolve("denied"); }
    getConfig() { return Promise.resolve({}); }
    getSSOCallbackUrl() { return new URL(location.href); }
    reload() { location.reload(); }
}

function screenOf(hash) {
    const [screen, query] = hash.replace(/^#\/?/, "").split("?");
    return { screen, params: Object.fromEntries(new URLSearchParams(query || "")) };
}

async function start() {
    PlatformPeg.set(new Platform());
    const config = await (await fetch("config.json")).json();
    SdkConfig.put(config);
    await languageHandler.setLanguage(["en"]);
    // Read after the words are there: modules look them up while they load.
    const { default: AutoDiscoveryUtils } = await import("matrix-react-sdk/lib/utils/AutoDiscoveryUtils");
    const { default: MatrixChat } = await import("matrix-react-sdk/lib/components/structures/MatrixChat");
    const server = await AutoDiscoveryUtils.validateServerConfigWithStaticUrls(config.homeserver_url, undefined, true);
    server.isDefault = true;
    SdkConfig.add({ validated_server_config: server });
    let shown = "";
    const chat = ReactDOM.render(
        React.createElement(MatrixChat, {
            config: SdkConfig.get(),
            onNewScreen: (screen, replace) => {
                shown = "#/" + screen;
                if (replace) location.replace(shown); else location.assign(shown);
            },
            realQueryParams: {},
            startingFragmentQueryParams: {},
            enableGuest: false,
            onTokenLoginCompleted: () => {},
            initialScreenAfterLogin: screenOf(location.hash),
            defaultDeviceDisplayName: "Element Web",
        }),
        document.getElementById("matrixchat"),
    );
    const show = () => {
        const { screen, params } = screenOf(location.hash);
        chat.showScreen(screen, params);
    };
    window.addEventListener("hashchange", () => location.hash !== shown && show());
    show();
}

start().catch((error) => console.error("not started", error && error.stack));

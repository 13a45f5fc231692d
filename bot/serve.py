"""Starts the bot: one process, one channel, no Rasa API. Run ``python serve.py`` in this folder, see ``settings.py`` for its settings."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from weakref import WeakValueDictionary

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bot import model_names, model_seal, settings, without_tensorflow
from bot.settings import Settings


def find_model(folder: Path) -> Path:
    """The model to serve, looked at before anything of it is unpacked; if it is not to be trusted, the next one that is.
    Raises ``BadSetting`` when there is none."""
    keys, refused = settings.model_keys(folder), []
    for model in model_names.in_order(folder):
        try:
            model_seal.check(model, keys)
        except model_seal.ModelRefused as refusal:
            refused.append(str(refusal))
            continue
        for reason in refused:
            print(f"REFUSED: {reason} Serving {model.name} instead.", file=sys.stderr, flush=True)
        return model
    if refused:
        raise settings.BadSetting("No model may be loaded:\n" + "\n".join(f"  {reason}" for reason in refused))
    raise settings.BadSetting(f"There is no model in {folder}; train one with `make train` or `python train.py`.")


def main() -> None:
    """Check the settings, then serve until told to stop."""
    chosen = settings.load()
    model = find_model(chosen.model_dir)
    settings.quieten()
    serve(chosen, model)


def serve(chosen: Settings, model: Path) -> None:
    """Serve turns on the chosen address until SIGTERM or SIGINT."""
    without_tensorflow.install()
    import rasa
    from rasa.core.run import create_http_input_channels
    from sanic import Sanic

    from bot import action_calls, quiet_logs
    from bot.jobs import Jobs
    from bot.metrics import metrics_page
    from bot.tracker_store import StoreFailed, TurnStore
    from bot.turn import Dialogue
    from bot.versions import Versions

    quiet_logs.configure()
    action_calls.install()
    app = Sanic("frontdesk_bot", configure_logging=False)
    app.config.GRACEFUL_SHUTDOWN_TIMEOUT = 8.0
    app.config.RESPONSE_TIMEOUT = 30
    app.config.KEEP_ALIVE_TIMEOUT = 75
    app.config.REQUEST_MAX_SIZE = 1024 * 1024
    try:
        store = TurnStore(host=chosen.database_url)
    except StoreFailed as error:
        raise SystemExit(str(error)) from None
    threading.Thread(target=store.seal_older, name="sealing", daemon=True).start()
    endpoint = action_calls.ActionEndpoint(chosen.action_url, chosen.action_timeout_seconds)
    running = WeakValueDictionary()
    app.ctx.versions = versions = Versions(
        chosen.model_dir,
        settings.model_keys(chosen.model_dir),
        lambda archive: Dialogue(archive, store, endpoint, running),
        most=chosen.most_models,
    )
    for channel in create_http_input_channels(None, str(settings.BOT / "credentials.yml")):
        app.blueprint(channel.blueprint(None), url_prefix=f"/webhooks/{channel.url_prefix()}")

    app.blueprint(metrics_page(chosen.metrics_token, chosen.host, rasa.__version__))

    async def prepare(app: Sanic) -> None:
        loop = asyncio.get_event_loop()
        try:
            await versions.open(model_names.name_of(model))
            await loop.run_in_executor(None, _refuses_strangers, chosen)
        except Exception as error:
            print(f"The bot cannot start: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        gc.collect()
        gc.freeze()
        print(
            f"The bot answers on http://{chosen.host}:{chosen.port}/webhooks/turn with model {model.name}.", flush=True
        )

    async def close(app: Sanic, loop: asyncio.AbstractEventLoop) -> None:
        app.ctx.jobs.close()
        await endpoint.close()

    app.ctx.jobs = Jobs(chosen.model_dir)
    app.add_task(prepare)
    app.register_listener(close, "after_server_stop")
    app.run(host=chosen.host, port=chosen.port, workers=1, access_log=False, motd=False)


def _refuses_strangers(chosen: Settings) -> None:
    host = "127.0.0.1" if chosen.host in {"0.0.0.0", "localhost"} else chosen.host  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    request = urllib.request.Request(
        f"http://{host}:{chosen.port}/webhooks/turn", b"{}", {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            status = response.status
    except urllib.error.HTTPError as error:
        status = error.code
    if status != 401:
        raise RuntimeError(
            f"the self-test failed: a turn without the secret was answered with {status} instead of 401."
        )


if __name__ == "__main__":
    main()

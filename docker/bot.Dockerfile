# The bot: Rasa 3.6.21 on Python 3.10, reachable from the service only. A first model is trained while the image is built.
FROM python:3.10-slim
WORKDIR /desk/bot
COPY bot/requirements.lock ./
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
 && pip install --no-cache-dir --require-hashes -r requirements.lock
COPY bot ./
COPY encoders ../encoders
COPY nlu_data ../nlu_data
ENV RASA_TELEMETRY_ENABLED=false PYTHONUNBUFFERED=1
# The key that signed the model does not stay in the image, which may be published. At the first start the model is signed
# anew with a key that is made on the volume; the volumes take the owner of the folders they are mounted on.
RUN python train.py && rm ../var/model_keys/signing_key.pem && chmod -R a+rX ../var \
 && useradd --create-home --uid 1000 bot && mkdir -p /models /model_keys && chmod 700 /model_keys \
 && chown -R bot /models /model_keys ../nlu_data
USER bot
ENV BOT_HOST=0.0.0.0 BOT_ALLOW_NETWORK=1 MODEL_DIR=/models MODEL_KEYS=/model_keys
CMD ["sh", "-c", "python bring_model.py ../var/models && exec python serve.py"]

# The bot: Rasa 3.6.21 on Python 3.10, reachable from the service only. The model is trained while the image is built.
FROM python:3.10-slim
WORKDIR /desk/bot
COPY bot/requirements.lock ./
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
 && pip install --no-cache-dir --require-hashes -r requirements.lock
COPY bot ./
COPY encoders ../encoders
COPY nlu_data ../nlu_data
ENV RASA_TELEMETRY_ENABLED=false PYTHONUNBUFFERED=1
# The key that signed the model does not stay: nothing on this machine can sign another one.
RUN python train.py && rm ../var/model_keys/signing_key.pem && useradd --create-home bot
USER bot
ENV BOT_HOST=0.0.0.0 BOT_ALLOW_NETWORK=1
CMD ["python", "serve.py"]

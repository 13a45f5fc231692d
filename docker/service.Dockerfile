# The service: channels, conversations, actions, knowledge base, CRM and the staff console.
FROM node:22-slim AS web
WORKDIR /build
COPY .npmrc ./
COPY connectors/webchat/widget connectors/webchat/widget
COPY handoff/web handoff/web
RUN npm --prefix connectors/webchat/widget ci && npm --prefix connectors/webchat/widget run build \
 && npm --prefix handoff/web ci && npm --prefix handoff/web run build

FROM python:3.11-slim
WORKDIR /desk
COPY requirements.lock ./
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
 && pip install --no-cache-dir --require-hashes -r requirements.lock
COPY app.py certificate.py channels_file.py data_lock.py failpoints.py logs.py pages.py desk.py env_file.py serving.py setting_rules.py settings.py slow_clients.py alembic.ini ./
COPY actions actions
COPY connectors connectors
COPY conversations conversations
COPY crm crm
COPY encoders encoders
COPY handoff handoff
COPY knowledge_base knowledge_base
COPY learning learning
COPY reporting reporting
COPY reviewing reviewing
COPY migrations migrations
COPY monitoring monitoring
COPY openapi openapi
COPY personal_data personal_data
COPY sentiment sentiment
COPY nlu_data nlu_data
COPY bot/domain.yml bot/domain.yml
COPY tools tools
COPY --from=web /build/connectors/webchat/widget/dist connectors/webchat/widget/dist
COPY --from=web /build/handoff/web/dist handoff/web/dist
# The same number as the bot's user, because both share the folder of the examples.
RUN useradd --create-home --uid 1000 desk && mkdir -p /data && chown -R desk /data nlu_data
USER desk
ENV HOST=0.0.0.0 DATA_DIR=/data PYTHONUNBUFFERED=1
EXPOSE 8000
CMD ["sh", "-c", "python -m sentiment.train --out $DATA_DIR/sentiment && python tools/load_demo.py && exec python app.py"]

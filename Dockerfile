# One image, two programs: `relay/main.ts` (default) or `edge/main.ts`. The lab is not in it.
FROM node:24-bookworm-slim AS build
WORKDIR /opt/gatepost
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npx vite build --config ui/vite.config.ts && npm prune --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ffmpeg fping iproute2 tini && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/gatepost
COPY --from=build /opt/gatepost/node_modules node_modules
COPY --from=build /opt/gatepost/ui/dist ui/dist
COPY package.json LICENSE ./
COPY protocol protocol
COPY edge edge
COPY relay relay
RUN mkdir /data && chown node:node /data
USER node
ENV NODE_ENV=production GATEPOST_DATA=/data GATEPOST_HOST=0.0.0.0 NODE_COMPILE_CACHE=/data/cache MALLOC_ARENA_MAX=2
VOLUME /data
EXPOSE 8080 8081
ENTRYPOINT ["tini", "--", "node"]
CMD ["relay/main.ts"]

# syntax=docker/dockerfile:1
# Builds the package and runs `fusewire serve`. Not run where it was written: there was no container engine.

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && npm pack --silent --pack-destination /tmp

FROM node:24-bookworm-slim
RUN --mount=from=build,source=/tmp,target=/tmp/build \
    npm install --global --no-audit --no-fund /tmp/build/fusewire-*.tgz pg@8.23.1 && npm cache clean --force \
 && install --directory --owner=node --group=node --mode=0700 /data
ENV NODE_ENV=production FUSEWIRE_INBOX=sqlite:/data/inbox.db
USER node
WORKDIR /data
VOLUME /data
# The admin listener stays on 127.0.0.1 of the container unless FUSEWIRE_ADMIN_HOST says otherwise.
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["node", "--eval", "fetch('http://127.0.0.1:'+(process.env.FUSEWIRE_PORT??3000)+'/livez').then(({ok})=>process.exit(ok?0:1),()=>process.exit(1))"]
# node itself, without a shell, npm or npx in between, which keep SIGTERM to themselves.
# Without the flag node keeps 110 MB for its youngest objects, with it 34 (docs/operate.md, Memory).
ENTRYPOINT ["node", "--max-semi-space-size=16", "/usr/local/lib/node_modules/fusewire/dist/cli/main.js"]
CMD ["serve"]

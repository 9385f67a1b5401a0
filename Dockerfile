# What is in the image and why: docs/image.md. Builds with and without BuildKit.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS packages
WORKDIR /opt/bullmq-runner
ARG NPM_CI_FLAGS=
# A pattern, so that the folder may be missing: it is there to build without a network.
COPY package.json .npm-cach[e] /npm-cache/
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund $NPM_CI_FLAGS

FROM ${NODE_IMAGE}
# The runner is not in /app: that folder is its user's, who may mount or copy a whole project over it.
WORKDIR /opt/bullmq-runner
COPY --from=packages /opt/bullmq-runner/node_modules ./node_modules
COPY LICENSE package.json ./
COPY bin ./bin
COPY src ./src
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/opt/bullmq-runner/compile-cache
# /node_modules is where jobs in /app find the runner and zod. What is compiled here once, no start compiles again, on a
# read-only root neither; it belongs to root again, since code that could be changed would be run at the next start.
RUN ln -s /opt/bullmq-runner/bin/runner.js /usr/local/bin/runner \
 && mkdir /app /node_modules "$NODE_COMPILE_CACHE" \
 && ln -s /opt/bullmq-runner /opt/bullmq-runner/node_modules/zod /node_modules/ \
 && chown 1000:1000 "$NODE_COMPILE_CACHE" \
 && setpriv --reuid=1000 --regid=1000 --clear-groups node --conditions=@bullmq-runner/source --input-type=module \
      --eval 'for (const file of fs.globSync("src/{cli,index,commands/{program,work,enqueue},fleet/inside/runtime,job/load}.ts")) await import("./" + file)' \
 && chown -R 0:0 "$NODE_COMPILE_CACHE" && chmod -R a+rX "$NODE_COMPILE_CACHE"
USER 1000:1000
WORKDIR /app
STOPSIGNAL SIGTERM
# node itself, and neither npm nor a shell, which would keep signals from it. A quarter of the container's memory is for the
# heap of the supervisor; half is for those of executors (--executor-memory).
ENTRYPOINT ["node", "--max-old-space-size-percentage=25", "/opt/bullmq-runner/bin/runner.js"]
CMD ["work"]
LABEL org.opencontainers.image.title="bullmq-runner" \
      org.opencontainers.image.description="BullMQ worker fleet and job runner" \
      org.opencontainers.image.licenses="MIT"

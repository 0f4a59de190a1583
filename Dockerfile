# Footnote on Discord; see deploy/README.md.
#
# TORCH_INDEX: a package index to install torch from, such as PyTorch's CPU index. The default index provides torch
# with GPU libraries, which makes the image several GB larger.
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
ARG TORCH_INDEX=
ENV PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# Without pip: nothing is installed at run time.
RUN python -m venv --without-pip /opt/footnote
COPY pyproject.toml requirements.lock ./
RUN if [ -n "$TORCH_INDEX" ]; then \
        python -m pip --python /opt/footnote install --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' requirements.lock)"; \
    fi
# Dependencies to run and to export an encoder, at the locked versions. The layer is reused when only the code changes.
RUN python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*p['dependencies'], *p['optional-dependencies']['build'], sep='\n')" > needed.txt \
    && python -m pip --python /opt/footnote install --constraint requirements.lock --requirement needed.txt
# What docs/scale.md needs, and nothing else.
ARG MILVUS=
RUN if [ -n "$MILVUS" ]; then python -m pip --python /opt/footnote install --constraint requirements.lock pymilvus; fi
# torch's headers and tests: 150 MB that nothing here uses.
RUN rm -r /opt/footnote/lib/python3*/site-packages/torch/include /opt/footnote/lib/python3*/site-packages/torch/test
COPY README.md LICENSE ./
COPY index index
COPY bot bot
COPY evaluation evaluation
RUN python -m pip --python /opt/footnote install --no-deps .

FROM ${PYTHON}
RUN groupadd --gid 10001 footnote \
    && useradd --uid 10001 --gid footnote --home-dir /state --no-create-home --shell /usr/sbin/nologin footnote \
    && install --directory --owner footnote --group footnote --mode 0700 /state
COPY --from=build /opt/footnote /opt/footnote
# Everything is written to /state: the index, the records, the exported encoder.
ENV PATH=/opt/footnote/bin:$PATH HOME=/state PYTHONDONTWRITEBYTECODE=1 \
    FOOTNOTE_ARTICLES=/articles FOOTNOTE_HEALTH_PORT=8080
USER 10001:10001
WORKDIR /state
VOLUME /state
HEALTHCHECK --interval=30s --timeout=5s --start-period=90s \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['FOOTNOTE_HEALTH_PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["footnote"]
CMD ["discord"]

# One image per program. SERVICE names it: monolith, a service, outside, or lab.
#
#   docker build --build-arg SERVICE=orders --tag banyan/orders .
#
# All programs are compiled in one stage, which all images share, so that ten images cost little more than one.
# Nothing here needs BuildKit.

FROM golang:1.26 AS build
WORKDIR /src
# The modules change seldom. What takes longest of them is compiled here, in layers that stay when our code changes.
COPY go.mod go.sum ./
RUN go mod download
RUN CGO_ENABLED=0 go build -trimpath \
    github.com/jackc/pgx/v5/pgxpool github.com/labstack/echo/v4 github.com/nats-io/nats.go/jetstream \
    github.com/pressly/goose/v3 github.com/prometheus/client_golang/prometheus/promhttp
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w' -o /out/ \
    ./monolith ./services/... ./scripts/outside ./scripts/lab

FROM scratch
ARG SERVICE
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/${SERVICE} /app
USER 65532:65532
ENV ADDR=0.0.0.0:8080 OPS_ADDR=0.0.0.0:8081
ENTRYPOINT ["/app"]

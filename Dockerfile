# A static program in an image that holds nothing else but certificates, run by nobody.
#   docker build -t handclasp .
#   docker run --rm handclasp scan ftp.example.net
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
ENV GOWORK=off
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags '-s -w' -o /handclasp ./cmd/handclasp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /handclasp /handclasp
COPY LICENSE NOTICE /
USER 65534:65534
ENTRYPOINT ["/handclasp"]

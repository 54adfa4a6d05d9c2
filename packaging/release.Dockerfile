# The image of a release, made of the program that was built and signed for it.
FROM gcr.io/distroless/static-debian12:nonroot
ARG TARGETPLATFORM
COPY $TARGETPLATFORM/handclasp /handclasp
COPY LICENSE NOTICE /
ENTRYPOINT ["/handclasp"]

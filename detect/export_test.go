package detect

// ServiceName names the service that begins so.
var ServiceName = serviceName

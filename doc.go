// Package handclasp shakes hands with file-transfer, mail and news services, safely, and reports what an outsider
// learns.
package handclasp

package report

import "github.com/handclasp/handclasp/finding"

// The events and objects of OCSF 1.8, as far as they are written, with the schema's names.
type ocsfEvent struct {
	CategoryUID     int                 `json:"category_uid"`
	CategoryName    string              `json:"category_name"`
	ClassUID        int                 `json:"class_uid"`
	ClassName       string              `json:"class_name"`
	ActivityID      int                 `json:"activity_id"`
	ActivityName    string              `json:"activity_name"`
	TypeUID         int                 `json:"type_uid"` // of class and activity
	TypeName        string              `json:"type_name"`
	Time            int64               `json:"time"` // as all times, in milliseconds since 1970
	StartTime       int64               `json:"start_time"`
	EndTime         int64               `json:"end_time"`
	TimezoneOffset  int                 `json:"timezone_offset"` // of UTC
	SeverityID      int                 `json:"severity_id"`
	Severity        string              `json:"severity"`
	StatusID        int                 `json:"status_id"`
	Status          string              `json:"status"`
	StatusDetail    string              `json:"status_detail,omitempty"`
	ConfidenceID    int                 `json:"confidence_id"`
	Confidence      string              `json:"confidence"`
	Message         string              `json:"message"`
	Metadata        ocsfMetadata        `json:"metadata"`
	Info            ocsfInfo            `json:"finding_info"`
	Resources       []ocsfResource      `json:"resources"`
	Vulnerabilities []ocsfVulnerability `json:"vulnerabilities,omitempty"`
	Compliance      *ocsfCompliance     `json:"compliance,omitempty"`
	Remediation     *ocsfRemediation    `json:"remediation,omitempty"`
	Observables     []ocsfObservable    `json:"observables"`
	Unmapped        ocsfUnmapped        `json:"unmapped"`
}

type ocsfMetadata struct {
	Version string      `json:"version"` // of the schema
	LogName string      `json:"log_name"`
	Product ocsfProduct `json:"product"`
}

type ocsfProduct struct {
	Name    string `json:"name"`
	Vendor  string `json:"vendor_name"`
	Version string `json:"version,omitempty"`
}

type ocsfInfo struct {
	UID      string       `json:"uid"`
	Title    string       `json:"title"`
	Desc     string       `json:"desc,omitempty"`
	Created  int64        `json:"created_time"`
	LastSeen int64        `json:"last_seen_time"`
	Analytic ocsfAnalytic `json:"analytic"`
	Attacks  []ocsfAttack `json:"attacks,omitempty"`
}

type ocsfAnalytic struct {
	UID    string `json:"uid"`
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
}

type ocsfAttack struct {
	Technique ocsfTechnique `json:"technique"`
}

type ocsfTechnique struct {
	UID string `json:"uid"`
}

type ocsfResource struct {
	UID      string      `json:"uid"`
	Name     string      `json:"name"`
	Type     string      `json:"type"`
	RoleID   int         `json:"role_id"`
	Role     string      `json:"role"`
	Hostname string      `json:"hostname,omitempty"`
	IP       string      `json:"ip"`
	Data     ocsfService `json:"data"` // whatever one likes
}

type ocsfService struct {
	Port     uint16 `json:"port"`
	Network  string `json:"network"`
	Protocol string `json:"protocol"`
	Software string `json:"software,omitempty"`
}

type ocsfVulnerability struct {
	CVE         ocsfCVE          `json:"cve"`
	Title       string           `json:"title"`
	Desc        string           `json:"desc,omitempty"`
	Severity    string           `json:"severity"`
	References  []string         `json:"references,omitempty"`
	Packages    []ocsfPackage    `json:"affected_packages,omitempty"`
	Exploit     bool             `json:"is_exploit_available,omitempty"` // as known, and never a no
	Remediation *ocsfRemediation `json:"remediation,omitempty"`
}

type ocsfCVE struct {
	UID        string     `json:"uid"`
	CVSS       []ocsfCVSS `json:"cvss,omitempty"`
	EPSS       *ocsfEPSS  `json:"epss,omitempty"`
	CWE        []ocsfCWE  `json:"related_cwes,omitempty"`
	References []string   `json:"references"`
}

type ocsfCVSS struct {
	Base    float64 `json:"base_score"`
	Overall float64 `json:"overall_score"`
	Version string  `json:"version"`
	Vector  string  `json:"vector_string"`
}

type ocsfEPSS struct {
	Score string `json:"score"` // a string in the schema
}

type ocsfCWE struct {
	UID string `json:"uid"`
	URL string `json:"src_url"`
}

type ocsfPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Vendor  string `json:"vendor_name,omitempty"`
	CPE     string `json:"cpe_name,omitempty"`
	Release string `json:"release,omitempty"`
}

type ocsfCompliance struct {
	Control      string   `json:"control"`
	Desc         string   `json:"desc,omitempty"`
	Standards    []string `json:"standards,omitempty"`
	Requirements []string `json:"requirements,omitempty"`
	StatusID     int      `json:"status_id"`
	Status       string   `json:"status"`
}

type ocsfRemediation struct {
	Desc       string   `json:"desc"`
	References []string `json:"references,omitempty"`
}

type ocsfObservable struct {
	Name   string `json:"name"`
	TypeID int    `json:"type_id"`
	Type   string `json:"type"`
	Value  string `json:"value"`
}

// ocsfUnmapped is for what the schema has no place for.
type ocsfUnmapped struct {
	Known string        `json:"known,omitempty"`
	Basis []string      `json:"basis,omitempty"`
	Proof []string      `json:"proof,omitempty"`
	CWE   []int         `json:"cwe,omitempty"`
	CVSS  string        `json:"cvss,omitempty"`
	Score float64       `json:"cvss_score,omitempty"`
	EPSS  float64       `json:"epss,omitempty"`
	KEV   string        `json:"kev,omitempty"`
	Data  *finding.Data `json:"data,omitempty"`
	Tag   string        `json:"tag,omitempty"`
}

// An ocsfValue is one of an attribute that has an id and a caption.
type ocsfValue struct {
	id      int
	caption string
}

var ocsfSeverities = map[finding.Severity]ocsfValue{
	finding.Info: {1, "Informational"}, finding.Low: {2, "Low"}, finding.Medium: {3, "Medium"}, finding.High: {4, "High"}, finding.Critical: {5, "Critical"},
}

// ocsfConfidences say how surely a finding is known.
var ocsfConfidences = map[finding.Known]ocsfValue{finding.Seen: {3, "High"}, finding.Claimed: {2, "Medium"}, finding.Inferred: {1, "Low"}}

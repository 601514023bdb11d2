// Package config is what an operator may set, read from three places: flags win over the
// environment (CANDOR_…), the environment wins over the YAML file, and Default fills the rest.
//
// Every setting has one name, its path in the file ("http.listen"). The flag is --http.listen,
// the variable CANDOR_HTTP_LISTEN. ref/config.yaml documents each setting once; a test parses
// it and compares it with Default, so the file, the defaults and the code cannot drift.
//
// Reading is strict: a key nobody knows is an error that gives the line and the nearest key
// that exists, and a value that does not fit gives the line and what would. The walk over the
// file's nodes is our own, over yaml.v3: a general loader merges maps first and knows no lines
// afterwards, and the line is what the person with the typo needs.
//
// The package imports nothing of ours.
package config

import (
	"net"
	"net/netip"
)

// Config is the whole of it. Field tags name the keys of the file.
type Config struct {
	DataDir   string `yaml:"data_dir"`
	Database  Secret `yaml:"database"`
	Language  string `yaml:"language"`
	SetupCode Secret `yaml:"setup_code"`

	Operator  Operator  `yaml:"operator"`
	Policy    Policy    `yaml:"policy"`
	HTTP      HTTP      `yaml:"http"`
	Cameras   Cameras   `yaml:"cameras"`
	WebRTC    WebRTC    `yaml:"webrtc"`
	Recording Recording `yaml:"recording"`
	Decode    Decode    `yaml:"decode"`
	Accounts  Accounts  `yaml:"accounts"`
	SMTP      SMTP      `yaml:"smtp"`
	Mail      Mail      `yaml:"mail"`
	Push      Push      `yaml:"push"`
	Log       Log       `yaml:"log"`
	Metrics   Metrics   `yaml:"metrics"`
}

// Operator is who answers for this installation; the published policy names them.
type Operator struct {
	Name    string `yaml:"name"`
	Contact string `yaml:"contact"`
}

// Policy is where the policy's source is.
type Policy struct {
	Folder string `yaml:"folder"`
}

// HTTP is the front door.
type HTTP struct {
	Listen         string         `yaml:"listen"`
	TLS            TLSMode        `yaml:"tls"`
	TLSListen      string         `yaml:"tls_listen"`
	Domains        []string       `yaml:"domains"`
	BasePath       string         `yaml:"base_path"`
	TrustedProxies []netip.Prefix `yaml:"trusted_proxies"`
	ACME           ACME           `yaml:"acme"`
	StopSeconds    int            `yaml:"stop_seconds"`
}

// ACME is how a certificate for an own domain is got.
type ACME struct {
	Email     string `yaml:"email"`
	Directory string `yaml:"directory"`
	Roots     string `yaml:"roots"`
}

// Cameras is where cameras may be.
type Cameras struct {
	Networks      []netip.Prefix `yaml:"networks"`
	AllowLoopback bool           `yaml:"allow_loopback"`
}

// WebRTC is how live pictures reach browsers directly.
type WebRTC struct {
	UDPPort     int          `yaml:"udp_port"`
	TCPPort     int          `yaml:"tcp_port"`
	ExternalIPs []netip.Addr `yaml:"external_ips"`
}

// Recording is what a new camera starts with.
type Recording struct {
	Days  int  `yaml:"days"`
	Bytes Size `yaml:"bytes"`
}

// Decode is the child process that turns key pictures into stills.
type Decode struct {
	Path  string `yaml:"path"`
	Limit int    `yaml:"limit"`
}

// Accounts is who may have one.
type Accounts struct {
	SignUp SignUp `yaml:"sign_up"`
}

// SMTP is the operator's mail server. Without a host no mail is sent.
type SMTP struct {
	Host     string  `yaml:"host"`
	Port     int     `yaml:"port"`
	TLS      MailTLS `yaml:"tls"`
	Username string  `yaml:"username"`
	Password Secret  `yaml:"password"`
	From     string  `yaml:"from"`
	Roots    string  `yaml:"roots"`
}

// Mail is what becomes of mail where there is no server.
type Mail struct {
	Outbox bool `yaml:"outbox"`
}

// Push is whom messages to browsers may be handed to.
type Push struct {
	Services []string `yaml:"services"`
	Roots    string   `yaml:"roots"`
}

// Log is the operator's log.
type Log struct {
	Level  LogLevel  `yaml:"level"`
	Format LogFormat `yaml:"format"`
}

// Metrics is the page a Prometheus server reads.
type Metrics struct {
	Listen string `yaml:"listen"`
}

// Here reports whether only this machine reaches the front door, and no proxy on it lets others in.
func (c Config) Here() bool {
	host, _, err := net.SplitHostPort(c.HTTP.Listen)
	at, _ := netip.ParseAddr(host)
	return err == nil && (host == "localhost" || at.IsLoopback()) && c.HTTP.TLS == TLSOff && len(c.WebRTC.ExternalIPs) == 0
}

// Default is the one place where defaults live.
func Default() Config {
	return Config{
		DataDir:  "data",
		Language: "en",
		HTTP: HTTP{
			Listen:      "127.0.0.1:8780",
			TLS:         TLSOff,
			TLSListen:   ":8443",
			ACME:        ACME{Directory: "https://acme-v02.api.letsencrypt.org/directory"},
			StopSeconds: 10,
		},
		Cameras: Cameras{Networks: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"),
			netip.MustParsePrefix("172.16.0.0/12"),
			netip.MustParsePrefix("192.168.0.0/16"),
			netip.MustParsePrefix("fc00::/7"),
		}},
		WebRTC:    WebRTC{UDPPort: 8189, TCPPort: 8189},
		Recording: Recording{Days: 7, Bytes: 20 << 30},
		Decode:    Decode{Limit: 2},
		Accounts:  Accounts{SignUp: SignUpInvited},
		SMTP:      SMTP{Port: 587, TLS: MailStartTLS},
		Push:      Push{Services: []string{"fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"}},
		Log:       Log{Level: "info", Format: "text"},
	}
}

package policy

import "candor/internal/passport"

// Purpose is why data is processed.
type Purpose struct {
	ID         passport.Purpose    `yaml:"id"`
	DPV        string              `yaml:"dpv"`
	Fideslang  string              `yaml:"fideslang"`
	Basis      passport.Basis      `yaml:"basis"`
	Categories []passport.Category `yaml:"categories"` // what a permit for it may open
}

// Optional reports whether a person can refuse the purpose and keep everything else.
func (p Purpose) Optional() bool { return p.Basis == passport.Consent }

// Prohibited is a purpose that this system does not have.
type Prohibited struct {
	ID        string `yaml:"id"`
	DPV       string `yaml:"dpv"`
	Fideslang string `yaml:"fideslang"`
}

// Category is a kind of data.
type Category struct {
	ID          passport.Category `yaml:"id"`
	DPV         string            `yaml:"dpv"`
	Fideslang   string            `yaml:"fideslang"`
	Origin      string            `yaml:"origin"`      // provided or observed
	Sensitivity int               `yaml:"sensitivity"` // 0 about nobody, 1 ordinary, 2 would hurt
	Sealed      bool              `yaml:"sealed"`      // kept only as ciphertext under the person's keys
}

// Recipient is somebody outside who receives something.
type Recipient struct {
	ID         string              `yaml:"id"`
	Role       string              `yaml:"role"`
	When       string              `yaml:"when"` // always or configured
	Purpose    passport.Purpose    `yaml:"purpose"`
	Categories []passport.Category `yaml:"categories"`
	Fields     []string            `yaml:"fields"`
	Region     string              `yaml:"region"`
	People     bool                `yaml:"people"` // whether any field is about a person who uses the system
	Contract   string              `yaml:"contract"`
	Assessed   string              `yaml:"assessed"` // date of the newest assessment
}

// Lifetime is the longest stay of a category.
type Lifetime struct {
	Category passport.Category `yaml:"category"`
	Days     int               `yaml:"days"`    // 0: no timer, only Until
	Default  int               `yaml:"default"` // what a new thing starts with, if its owner may choose
	Until    string            `yaml:"until"`   // the event that ends it earlier, or alone
}

// Region is where data lies.
type Region struct {
	ID    string `yaml:"id"`
	Place string `yaml:"place"`
}

// Right is something a person can ask of us.
type Right struct {
	ID  string `yaml:"id"`
	Law string `yaml:"law"` // the article that gives it, as a W3C DPV name
	By  string `yaml:"by"`  // self: in the app, at once; request: asked of the operator
}

// Self reports whether the right needs nobody's help.
func (r Right) Self() bool { return r.By == "self" }

// Promise is one testable sentence of the policy.
type Promise struct {
	ID        string   `yaml:"id"`
	Kind      string   `yaml:"kind"`
	Seeds     []string `yaml:"seeds"`
	Statement string   `yaml:"statement"`
	Reading   string   `yaml:"reading"`
	Default   string   `yaml:"default"`
	By        string   `yaml:"by"` // keeping or absence
	Check     string   `yaml:"check"`
	Area      string   `yaml:"-"` // the file's
}

// ConsentText is the question that is asked for a purpose, in one language.
type ConsentText struct {
	Purpose  passport.Purpose `yaml:"purpose"`
	Question string           `yaml:"question"`
	Text     string           `yaml:"text"`     // what happens on yes, who sees it, how long it stays
	Allow    string           `yaml:"allow"`    // the label of yes: says what happens
	Refuse   string           `yaml:"refuse"`   // the label of no, of equal weight
	IfNo     string           `yaml:"if_no"`    // what still works
	Withdraw string           `yaml:"withdraw"` // how to undo it and what that does
	Hash     string           `yaml:"-"`        // SHA-256 of the canonical JSON of the above with the language
}

// Named is the words for one id in one language.
type Named struct {
	Name string `yaml:"name"`
	Text string `yaml:"text"`
}

// Names are the words of one language for the ids of the registers.
type Names struct {
	Purposes   map[string]Named  `yaml:"purposes"`
	Prohibited map[string]string `yaml:"prohibited"`
	Categories map[string]Named  `yaml:"categories"`
	Absent     map[string]string `yaml:"absent"`
	Recipients map[string]Named  `yaml:"recipients"`
	Rights     map[string]Named  `yaml:"rights"`
	Until      map[string]string `yaml:"until"`
	Bases      map[string]string `yaml:"bases"`
}

// The files, as they are decoded.
type (
	policyFile struct {
		Version    int      `yaml:"version"`
		Published  string   `yaml:"published"`
		Effective  string   `yaml:"effective"`
		Languages  []string `yaml:"languages"`
		Controller string   `yaml:"controller"`
		Contact    string   `yaml:"contact"`
		Assessed   string   `yaml:"assessed"`
		Risk       string   `yaml:"risk"`
		Cuts       []string `yaml:"cuts"`
	}
	rightsFile struct {
		Rights []Right `yaml:"rights"`
	}
	purposesFile struct {
		Purposes   []Purpose    `yaml:"purposes"`
		Prohibited []Prohibited `yaml:"prohibited"`
	}
	categoriesFile struct {
		Categories []Category `yaml:"categories"`
		Absent     []string   `yaml:"absent"`
	}
	recipientsFile struct {
		Recipients []Recipient `yaml:"recipients"`
	}
	retentionFile struct {
		Retention   []Lifetime `yaml:"retention"`
		BackupDays  int        `yaml:"backup_days"`
		ReceiptDays int        `yaml:"receipt_days"`
		RequestDays int        `yaml:"request_days"`
	}
	regionsFile struct {
		Regions   []Region   `yaml:"regions"`
		Transfers []struct{} `yaml:"transfers"` // none is possible yet, so none has a shape
	}
	promisesFile struct {
		Area     string    `yaml:"area"`
		Promises []Promise `yaml:"promises"`
	}
)

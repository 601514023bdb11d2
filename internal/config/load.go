package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Sources are the places a configuration is read from. Flags win over Env, Env over File.
type Sources struct {
	File  string            // path of the YAML file; "" for none
	Env   []string          // "KEY=value", as os.Environ gives it
	Flags map[string]string // setting path → text, only those that were given
}

// Loaded is a configuration and where each setting that is not a default came from.
type Loaded struct {
	Config
	From map[string]string // "http.listen" → "candor.yaml line 7" | "CANDOR_HTTP_LISTEN" | "--http.listen"
}

// Load reads, checks and returns the configuration.
func Load(s Sources) (*Loaded, error) {
	l := &Loaded{Config: Default(), From: map[string]string{}}
	if s.File != "" {
		f, err := os.Open(s.File)
		if err != nil {
			return nil, fmt.Errorf("read the configuration: %w", err)
		}
		defer f.Close()
		if err := l.file(s.File, f); err != nil {
			return nil, err
		}
	}
	if err := l.env(s.Env); err != nil {
		return nil, err
	}
	if err := l.flags(s.Flags); err != nil {
		return nil, err
	}
	return l, l.check()
}

// Parse reads the text of a configuration file over the defaults.
func Parse(name string, r io.Reader) (*Loaded, error) {
	l := &Loaded{Config: Default(), From: map[string]string{}}
	if err := l.file(name, r); err != nil {
		return nil, err
	}
	return l, l.check()
}

func (l *Loaded) file(name string, r io.Reader) error {
	var doc yaml.Node
	dec := yaml.NewDecoder(io.LimitReader(r, 1<<20))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	}
	if dec.Decode(&yaml.Node{}) != io.EOF {
		return fmt.Errorf("%s: more than one document (a line of ---)", name)
	}
	w := walker{name: name, from: l.From}
	return w.mapping(doc.Content[0], reflect.ValueOf(&l.Config).Elem(), "")
}

// foreign are variables with our prefix that are not settings.
var foreign = []string{"CANDOR_CONFIG", "CANDOR_CUT", "CANDOR_TEST_"}

func (l *Loaded) env(env []string) error {
	paths := map[string]string{}
	var known []string
	for _, s := range Settings() {
		paths[s.Env] = s.Path
		known = append(known, s.Env)
	}
	env = slices.Sorted(slices.Values(env))
	for _, kv := range env {
		key, text, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(key, "CANDOR_") || slices.ContainsFunc(foreign, func(f string) bool { return strings.HasPrefix(key, f) }) {
			continue
		}
		path, ok := paths[key]
		if !ok {
			return fmt.Errorf("environment: %s is not a setting; did you mean %s?", key, nearest(key, known))
		}
		if err := l.set(path, text, key); err != nil {
			return err
		}
	}
	return nil
}

func (l *Loaded) flags(flags map[string]string) error {
	var known []string
	for _, s := range Settings() {
		known = append(known, s.Path)
	}
	for path, text := range flags {
		if !slices.Contains(known, path) {
			return fmt.Errorf("--%s is not a setting; did you mean --%s?", path, nearest(path, known))
		}
		if err := l.set(path, text, "--"+path); err != nil {
			return err
		}
	}
	return nil
}

// set gives one setting its text. A list is separated by commas.
func (l *Loaded) set(path, text, from string) error {
	v := reflect.ValueOf(&l.Config).Elem()
	for part := range strings.SplitSeq(path, ".") {
		v = field(v, part)
	}
	if err := fromText(v, text); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	l.From[path] = from
	return nil
}

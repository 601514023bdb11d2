package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"
)

// decodeStrict reads one file of the policy's YAML (see the package doc) into out, a pointer to
// a struct, and returns the plain value it stands for, from which the hash is made.
func decodeStrict(name string, data []byte, out any) (any, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document", name)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s: the top must be a mapping", name)
	}
	value, err := plain(doc.Content[0])
	if err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	strict := yaml.NewDecoder(bytes.NewReader(data))
	strict.KnownFields(true)
	if err := strict.Decode(out); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return value, nil
}

// ambiguous words are booleans to some readers of YAML and strings to others.
var ambiguous = []string{"yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", "y", "Y", "n", "N"}

// plain turns a node into map[string]any, []any, string, int64 or bool, and refuses the rest.
func plain(n *yaml.Node) (any, error) {
	refuse := func(format string, a ...any) (any, error) {
		return nil, fmt.Errorf("%d: %s", n.Line, fmt.Sprintf(format, a...))
	}
	if n.Anchor != "" {
		return refuse("anchors are not allowed")
	}
	if n.Style&yaml.TaggedStyle != 0 {
		return refuse("tags are not allowed")
	}
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			key, err := plain(n.Content[i])
			if err != nil {
				return nil, err
			}
			k, ok := key.(string)
			if !ok || n.Content[i].ShortTag() != "!!str" {
				return refuse("keys must be strings")
			}
			if _, twice := m[k]; twice {
				return refuse("%q is given twice", k)
			}
			if m[k], err = plain(n.Content[i+1]); err != nil {
				return nil, err
			}
		}
		return m, nil
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			v, err := plain(c)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case yaml.ScalarNode:
		return scalar(n, refuse)
	default:
		return refuse("aliases are not allowed")
	}
}

func scalar(n *yaml.Node, refuse func(string, ...any) (any, error)) (any, error) {
	if n.Style == 0 && slices.Contains(ambiguous, n.Value) {
		return refuse("write %q in quotes", n.Value)
	}
	switch n.ShortTag() {
	case "!!str":
		return n.Value, nil
	case "!!bool":
		return n.Value == "true" || n.Value == "True" || n.Value == "TRUE", nil
	case "!!int":
		v, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil {
			return refuse("%q is no decimal integer", n.Value)
		}
		return v, nil
	default:
		return refuse("%q is neither a string, an integer nor true or false; put it in quotes if it is a word", n.Value)
	}
}

package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Setting describes one setting.
type Setting struct {
	Path string // "http.listen"; also the flag, behind --
	Env  string // "CANDOR_HTTP_LISTEN"
	List bool
}

// Settings lists every setting in the order of the file.
func Settings() []Setting {
	var out []Setting
	var collect func(t reflect.Type, prefix string)
	collect = func(t reflect.Type, prefix string) {
		for i := range t.NumField() {
			f := t.Field(i)
			path := prefix + f.Tag.Get("yaml")
			if f.Type.Kind() == reflect.Struct && !isText(f.Type) {
				collect(f.Type, path+".")
				continue
			}
			env := "CANDOR_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
			out = append(out, Setting{Path: path, Env: env, List: f.Type.Kind() == reflect.Slice})
		}
	}
	collect(reflect.TypeFor[Config](), "")
	return out
}

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }

// field finds the struct field of a key, or the zero Value.
func field(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == key {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// walker puts a file's nodes into the struct, line by line.
type walker struct {
	name string
	from map[string]string
}

func (w walker) errorf(n *yaml.Node, format string, a ...any) error {
	return fmt.Errorf("%s line %d: %s", w.name, n.Line, fmt.Sprintf(format, a...))
}

func (w walker) mapping(n *yaml.Node, v reflect.Value, prefix string) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil // "http:" with every line below it commented out
	}
	if n.Kind != yaml.MappingNode {
		return w.errorf(n, "%s wants settings below it, not a value", label(prefix))
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		f := field(v, key.Value)
		switch {
		case !f.IsValid():
			return w.errorf(key, "%q is not a setting; did you mean %q?", prefix+key.Value, nearest(prefix+key.Value, paths(v.Type(), prefix)))
		case seen[key.Value]:
			return w.errorf(key, "%q is set twice", prefix+key.Value)
		}
		seen[key.Value] = true
		if err := w.value(value, f, prefix+key.Value); err != nil {
			return err
		}
	}
	return nil
}

func (w walker) value(n *yaml.Node, f reflect.Value, path string) error {
	if n.Kind == yaml.AliasNode {
		return w.errorf(n, "%s: anchors and aliases are not read; write the value", path)
	}
	if f.Kind() == reflect.Struct && !isText(f.Type()) {
		return w.mapping(n, f, path+".")
	}
	w.from[path] = fmt.Sprintf("%s line %d", w.name, n.Line)
	if f.Kind() == reflect.Slice {
		return w.list(n, f, path)
	}
	if n.Kind != yaml.ScalarNode {
		return w.errorf(n, "%s wants one value", path)
	}
	if err := fromText(f, n.Value); err != nil {
		return w.errorf(n, "%s: %v", path, err)
	}
	return nil
}

func (w walker) list(n *yaml.Node, f reflect.Value, path string) error {
	if n.Kind != yaml.SequenceNode {
		return w.errorf(n, "%s wants a list: [a, b], or one line with a dash for each", path)
	}
	out := reflect.MakeSlice(f.Type(), 0, len(n.Content))
	for _, item := range n.Content {
		v := reflect.New(f.Type().Elem()).Elem()
		if item.Kind != yaml.ScalarNode {
			return w.errorf(item, "%s: an item is one value", path)
		}
		if err := fromText(v, item.Value); err != nil {
			return w.errorf(item, "%s: %v", path, err)
		}
		out = reflect.Append(out, v)
	}
	f.Set(out)
	return nil
}

func label(prefix string) string {
	if prefix == "" {
		return "the file"
	}
	return strings.TrimSuffix(prefix, ".")
}

func paths(t reflect.Type, prefix string) []string {
	var out []string
	for i := range t.NumField() {
		out = append(out, prefix+t.Field(i).Tag.Get("yaml"))
	}
	return out
}

// fromText gives a setting the value that text says.
func fromText(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		switch text {
		case "true", "yes", "on":
			v.SetBool(true)
		case "false", "no", "off":
			v.SetBool(false)
		default:
			return fmt.Errorf("%q is neither true nor false", text)
		}
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		v.SetInt(int64(n))
	case reflect.Slice:
		out := reflect.MakeSlice(v.Type(), 0, 4)
		for part := range strings.SplitSeq(text, ",") {
			part = strings.TrimSpace(part)
			if part == "" {
				continue
			}
			item := reflect.New(v.Type().Elem()).Elem()
			if err := fromText(item, part); err != nil {
				return err
			}
			out = reflect.Append(out, item)
		}
		v.Set(out)
	default:
		return fmt.Errorf("a %s cannot be set", v.Type())
	}
	return nil
}

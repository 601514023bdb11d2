package cli

import (
	"fmt"
	"strings"

	"candor/internal/config"
)

// settingFlags takes every --setting.path[=value] out of the arguments. A setting's flag has a
// dot or an underscore in it, the flags of commands have neither, so the two never meet.
func settingFlags(args []string) (rest []string, settings map[string]string, err error) {
	known := map[string]bool{}
	for _, s := range config.Settings() {
		known[s.Path] = true
	}
	settings = map[string]string{}
	for i := 0; i < len(args); i++ {
		name, value, has := strings.Cut(strings.TrimPrefix(args[i], "--"), "=")
		if !strings.HasPrefix(args[i], "--") || !(known[name] || strings.ContainsAny(name, "._")) {
			rest = append(rest, args[i])
			continue
		}
		if !has {
			if i+1 == len(args) {
				return nil, nil, fmt.Errorf("--%s needs a value", name)
			}
			i++
			value = args[i]
		}
		settings[name] = value // config names the nearest setting when it does not know this one
	}
	return rest, settings, nil
}

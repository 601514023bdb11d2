package policy

import (
	"html"
	"regexp"
	"strings"
)

// HTML turns the Markdown that the policy's texts use into HTML: headings, paragraphs, lists,
// tables, **strong** and `code`. Everything else is text, and all text is escaped, so nothing
// in it can become markup.
func HTML(md string) string {
	var b strings.Builder
	var open string // the block that is open: "p", "ul", "table" or ""
	shut := func() {
		switch open {
		case "p":
			b.WriteString("</p>\n")
		case "ul":
			b.WriteString("</ul>\n")
		case "table":
			b.WriteString("</tbody></table>\n")
		}
		open = ""
	}
	for line := range strings.Lines(md) {
		line = strings.TrimSpace(line)
		level := len(line) - len(strings.TrimLeft(line, "#"))
		switch {
		case line == "":
			shut()
		case level >= 1 && level <= 4 && strings.HasPrefix(line[level:], " "):
			shut()
			tag := "h" + string('0'+rune(level))
			b.WriteString("<" + tag + ">" + inline(line[level+1:]) + "</" + tag + ">\n")
		case strings.HasPrefix(line, "- "):
			if open != "ul" {
				shut()
				b.WriteString("<ul>\n")
				open = "ul"
			}
			b.WriteString("<li>" + inline(line[2:]) + "</li>\n")
		case strings.HasPrefix(line, "|") && strings.HasSuffix(line, "|") && len(line) > 1:
			if open != "table" {
				shut()
				b.WriteString("<table><thead>" + row(line, "th") + "</thead><tbody>\n")
				open = "table"
			} else if strings.Trim(line, "|-: ") != "" {
				b.WriteString(row(line, "td") + "\n")
			}
		case open == "p":
			b.WriteString("\n" + inline(line))
		default:
			shut()
			b.WriteString("<p>" + inline(line))
			open = "p"
		}
	}
	shut()
	return b.String()
}

func row(line, cell string) string {
	var b strings.Builder
	b.WriteString("<tr>")
	for _, c := range strings.Split(strings.Trim(line, "|"), "|") {
		b.WriteString("<" + cell + ">" + inline(strings.TrimSpace(c)) + "</" + cell + ">")
	}
	b.WriteString("</tr>")
	return b.String()
}

var (
	strong = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	code   = regexp.MustCompile("`([^`]+)`")
)

func inline(s string) string {
	s = html.EscapeString(s)
	s = strong.ReplaceAllString(s, "<strong>$1</strong>")
	return code.ReplaceAllString(s, "<code>$1</code>")
}

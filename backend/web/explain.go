package web

import (
	"html"
	"html/template"
	"regexp"
	"strings"
)

var (
	// bold is Markdown's, in text that has been escaped.
	bold = regexp.MustCompile(`\*\*([^*]+)\*\*`)
	// entry is how a line of the timeline begins.
	entry = regexp.MustCompile(`^\d+\. \[`)
)

// explained draws an explanation, which is Markdown: its headings, its bold
// words and its timeline. Everything else is text, whatever is in it.
func explained(markdown string) template.HTML {
	var out strings.Builder
	line := func(element, class, text string) {
		out.WriteString("<" + element)
		if class != "" {
			out.WriteString(` class="` + class + `"`)
		}
		out.WriteString(">" + bold.ReplaceAllString(html.EscapeString(text), "<strong>$1</strong>") + "</" + element + ">\n")
	}
	for text := range strings.SplitSeq(markdown, "\n") {
		if heading, ok := strings.CutPrefix(text, "### "); ok {
			line("h4", "", strings.TrimSuffix(heading, ":"))
		} else if heading, ok := strings.CutPrefix(text, "## "); ok {
			line("h3", "", heading)
		} else if entry.MatchString(text) {
			line("p", "entry", text)
		} else if text = strings.TrimSpace(text); text != "" {
			class := "more"
			if strings.HasPrefix(text, "**") {
				class = ""
			}
			line("p", class, text)
		}
	}
	return template.HTML(out.String()) //nolint:gosec // every text went through EscapeString
}

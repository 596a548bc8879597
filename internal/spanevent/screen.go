package spanevent

import "encoding/json"

// Screen says of the text that a span has for content whether anybody can find
// something in it: RulesOut is true only where nobody finds more in the JSON that
// is made of the text than in an empty object. That JSON is an object or a list,
// and one of
//   - the text itself,
//   - {"input": text} or {"output": text} with the text as a JSON string, or as
//     the list that it is the JSON of, as encoding/json writes these.
//
// What is not UTF-8 has been replaced by U+FFFD.
type Screen interface {
	RulesOut(text []byte) bool
}

// Screens are the screens of the data of events; nil for what has none.
type Screens struct{ Input, Output, ToolInput, ToolOutput Screen }

// Screened returns a reader that need not read the content that a screen rules
// out: RuledOut tells it from other content. To look for what must be in it takes
// less time than to make JSON of it, and of most content nothing more is asked.
func (s Scope) Screened(by *Screens) Scope {
	s.screens = by
	return s
}

// ruledOut stands for content that was not read. It is not the {} that some write
// for content that there is none of.
var ruledOut = json.RawMessage("{ }")

// RuledOut reports whether content was not read because a screen rules it out.
// There is such content on the span, of which Event holds an empty object.
func RuledOut(content json.RawMessage) bool {
	return len(content) == len(ruledOut) && &content[0] == &ruledOut[0]
}

// wish is whether a piece of content is wanted, and of which text it is not.
type wish struct {
	wanted bool
	screen Screen
}

func (s *Scope) wish(c Content) wish {
	w := wish{wanted: s.without&c == 0}
	if !w.wanted || s.screens == nil {
		return w
	}
	switch c {
	case ContentInput:
		w.screen = s.screens.Input
	case ContentOutput:
		w.screen = s.screens.Output
	case ContentToolInput:
		w.screen = s.screens.ToolInput
	case ContentToolOutput:
		w.screen = s.screens.ToolOutput
	}
	return w
}

// minScreened is the shortest text, in bytes, that is screened: to read less
// takes no time.
const minScreened = 64

// rulesOut reports whether content need not be made of a text. Of what the SDK
// wrote only objects and lists are ruled out: any other JSON stays what it is.
func (w *wish) rulesOut(text string, own bool) bool {
	if w.screen == nil || len(text) < minScreened {
		return false
	}
	if c := text[0]; own && c != '{' && c != '[' {
		return false
	}
	return w.screen.RulesOut(asItIs(text))
}

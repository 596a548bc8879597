package agentlens

import "github.com/agentlens/agentlens-otel/instrumentation/internal/capture"

// Content is one string, number or object key within captured content. Its
// fields are strings: Attribute is the key of the attribute that the content
// goes into, such as "gen_ai.input.messages"; Key that of the innermost object
// member which holds the text, empty for an object key and for plain text; Text
// the string itself, or the digits of a number.
type Content = capture.Content

// Redactor returns what is captured in place of a content's text. An error or a
// panic drops the whole of the attribute's content, and nothing else; it is
// counted in Stats and named on the span in agentlens.content.dropped. A
// redactor is called from many goroutines.
type Redactor = capture.Redactor

// WithRedactor adds redactors, which see content in the order in which they
// were given. They see the strings and numbers within inputs, outputs and
// messages, reasoning, the messages of errors, and session metadata.
func WithRedactor(redactors ...Redactor) Option {
	return option(func(c *config) error {
		for _, r := range redactors {
			if r == nil {
				return &FieldError{Field: "WithRedactor", Value: nil, Want: "a function"}
			}
		}
		c.redactors = append(c.redactors, redactors...)
		return nil
	})
}

// RedactSecrets is a Redactor for what should be in no trace: API keys and
// tokens in the forms their issuers give them, bearer tokens, JSON web tokens,
// private keys, the values of members named like a password or a key, e-mail
// addresses, US social security numbers and payment card numbers that pass the
// Luhn check. Each becomes "[REDACTED:kind]". It finds known forms and no others.
func RedactSecrets(c Content) (string, error) { return capture.RedactSecrets(c) }

// Package fakeprovider is a provider of models for the examples: it speaks the
// wire of OpenAI's chat completions and of Anthropic's messages, streamed or
// not, and needs no network beyond loopback. Its model asks for the first tool it
// is offered, and answers when it has got the result.
package fakeprovider

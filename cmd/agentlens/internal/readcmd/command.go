package readcmd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// NewCommand returns the command "read FILE", which prints what the reader
// makes of a file of OTLP traces in JSON: one ExportTraceServiceRequest, or any
// number of them, one after the other. FILE "-" is the standard input.
func NewCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "read FILE",
		Short: "Show what AgentLens makes of a file of OTLP traces (JSON)",
		Long: "Read a file of OTLP traces in JSON, such as the collector's file exporter writes, and print its sessions,\n" +
			"calls, tokens, costs, tool calls and errors, and for each span which dialect it was read in and what decided.\n" +
			"Nothing is sent anywhere, and no content is printed. FILE - reads the standard input.",
		Args:         cobra.ExactArgs(1),
		SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := open(args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			defer in.Close()
			traces, err := readTraces(in)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			result := analyse(traces)
			out := bufio.NewWriter(cmd.OutOrStdout())
			if asJSON {
				encoder := json.NewEncoder(out)
				encoder.SetIndent("", "  ")
				err = encoder.Encode(result)
			} else {
				err = result.print(out)
			}
			return errors.Join(err, out.Flush())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON instead of tables")
	return cmd
}

func open(name string, stdin io.Reader) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(stdin), nil
	}
	return os.Open(name)
}

// readTraces reads JSON values to the end. An error says which one is wrong.
func readTraces(in io.Reader) ([]ptrace.Traces, error) {
	var out []ptrace.Traces
	decoder := json.NewDecoder(bufio.NewReader(in))
	for {
		var raw json.RawMessage
		err := decoder.Decode(&raw)
		if errors.Is(err, io.EOF) {
			if len(out) == 0 {
				return nil, errors.New("the file is empty, want OTLP traces in JSON")
			}
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("request %d, after byte %d, is not JSON: %w", len(out)+1, decoder.InputOffset(), err)
		}
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(raw)
		if err != nil {
			return nil, fmt.Errorf("request %d, before byte %d, is not OTLP: %w", len(out)+1, decoder.InputOffset(), err)
		}
		out = append(out, td)
	}
}

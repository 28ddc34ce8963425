// Package metrics is dockershctl's command metrics: what dockersh does on this host, as
// numbers for Prometheus.
package metrics

import (
	"bytes"
	"context"
	"io"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/dockersh/dockersh/internal/admin/cli"
)

// Metrics is the command metrics. Something that does not answer is no error: the numbers show
// it, or are left out.
func Metrics(ctx context.Context, env cli.Env, args []string) error {
	var textfile string
	if _, err := (cli.Options{"--textfile": &textfile}).Parse(args, 0, 0); err != nil {
		return err
	}
	if err := cli.RequireRoot("metrics"); err != nil {
		return err
	}
	all := gather(ctx, env).families().known()
	var text bytes.Buffer
	if textfile != "" {
		if err := writeText(&text, all); err != nil {
			return err
		}
		return replace(textfile, text.Bytes())
	}
	if err := writeOpenMetrics(&text, all); err != nil {
		return err
	}
	_, err := text.WriteTo(env.Out)
	return err
}

func writeOpenMetrics(w io.Writer, all []*dto.MetricFamily) error {
	for _, f := range all {
		if _, err := expfmt.MetricFamilyToOpenMetrics(w, f); err != nil {
			return err
		}
	}
	_, err := expfmt.FinalizeOpenMetrics(w)
	return err
}

// writeText writes the older format, which is the one that node_exporter reads.
func writeText(w io.Writer, all []*dto.MetricFamily) error {
	for _, f := range all {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return err
		}
	}
	return nil
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
)

const outDir = "bench/out"

// figure is one number with its spread.
type figure struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	N      int     `json:"n"`
	Min    float64 `json:"min"`
	Median float64 `json:"median"`
	Max    float64 `json:"max"`
}

// of makes a figure of samples. Its value is the quantile q of them: 0.5 or 0.95.
func of(name, unit string, q float64, samples []float64) figure {
	s := slices.Sorted(slices.Values(samples))
	f := figure{Name: name, Unit: unit, N: len(s)}
	if len(s) == 0 {
		return f
	}
	f.Min, f.Max = round(s[0]), round(s[len(s)-1])
	f.Median, f.Value = round(quantile(s, 0.5)), round(quantile(s, q))
	return f
}

// one makes a figure of a single count.
func one(name, unit string, v float64) figure { return of(name, unit, 0.5, []float64{v}) }

// quantile is the nearest-rank quantile of sorted samples, so always one that was measured; the
// median of an even number is the mean of the middle two.
func quantile(s []float64, q float64) float64 {
	if q == 0.5 && len(s)%2 == 0 {
		return (s[len(s)/2-1] + s[len(s)/2]) / 2
	}
	return s[max(int(math.Ceil(q*float64(len(s)))), 1)-1]
}

// round keeps four digits: nothing here is known better.
func round(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return v
	}
	p := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	if p < 1 {
		return math.Round(v)
	}
	return math.Round(v*p) / p
}

func (b *bench) add(f ...figure) { b.figures = append(b.figures, f...) }

func writeJSON(file string, v any) error {
	j, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(j, '\n'), 0o644)
}

func readJSON(file string, v any) error {
	j, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return json.Unmarshal(j, v)
}

// table prints figures as a Markdown table that lines up in a terminal too.
func table(w io.Writer, figures []figure) {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintln(t, "| figure\t| value\t| unit\t| n\t| min\t| median\t| max\t|")
	fmt.Fprintln(t, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, f := range figures {
		fmt.Fprintf(t, "| %s\t| %g\t| %s\t| %d\t| %g\t| %g\t| %g\t|\n", f.Name, f.Value, f.Unit, f.N, f.Min, f.Median, f.Max)
	}
	t.Flush()
}

// kept is a file of bench/results.
type kept struct {
	Machine machine             `json:"machine"`
	Figures map[string][]figure `json:"figures"`
}

// keepAll writes everything in bench/out as one file.
func keepAll(file string) error {
	k := kept{Figures: map[string][]figure{}}
	if err := readJSON(filepath.Join(outDir, "machine.json"), &k.Machine); err != nil {
		return err
	}
	for _, g := range groups {
		var f []figure
		err := readJSON(filepath.Join(outDir, g.name+".json"), &f)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it did not run
		}
		if err != nil {
			return err
		}
		k.Figures[g.name] = f
	}
	return writeJSON(file, k)
}

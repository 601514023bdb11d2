package segment

import "io"

// Found is what a look at a segment without its key tells.
type Found struct {
	Header *Parsed
	Size   int64 // up to the end of the last whole chunk; what lies beyond is not footage
	Ticks  int64 // how much time the whole chunks hold
	Chunks int   // whole chunks with frames
	Whole  bool  // closed in order
}

// Survey looks through the first size bytes of r as a machine does that starts again after a
// crash. A segment without a whole chunk is found with Chunks == 0.
func Survey(r io.ReaderAt, size int64) (Found, error) {
	h, err := ReadHeader(r)
	if err != nil {
		return Found{}, err
	}
	out := Found{Header: h}
	out.Size, err = walk(r, h.Size, size, true, func(_ int64, c head) error {
		out.Ticks = int64(c.end)
		if c.index {
			out.Whole = true
		} else {
			out.Chunks++
		}
		return nil
	})
	return out, err
}

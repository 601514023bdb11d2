package child

import (
	"bytes"
	"errors"
	"fmt"
	"unsafe"

	"github.com/ebitengine/purego"
	"github.com/y9o/go-openh264"
)

// sonames are the releases whose decoder interface is the one we speak: 2.4 and later, 2.2 and
// 2.3, 2.0 and 2.1.
var sonames = []string{"libopenh264.so.8", "libopenh264.so.7", "libopenh264.so.6"}

// openH264 is the system's libopenh264, loaded at run time.
type openH264 struct{ label string }

func newOpenH264() (e engine, err error) {
	// purego panics when a symbol is missing: a library of that name that is another one.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("libopenh264: %v", p)
		}
	}()
	for _, name := range sonames {
		lib, openErr := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
		if openErr != nil {
			err = errors.Join(err, openErr)
			continue
		}
		for _, symbol := range []string{"WelsCreateDecoder", "WelsDestroyDecoder", "WelsGetCodecVersionEx"} {
			if _, symErr := purego.Dlsym(lib, symbol); symErr != nil {
				return nil, symErr
			}
		}
		if openErr = openh264.Open(name); openErr != nil {
			err = errors.Join(err, openErr)
			continue
		}
		v := openh264.WelsGetCodecVersion()
		return openH264{fmt.Sprintf("libopenh264 %d.%d.%d by purego", v.UMajor, v.UMinor, v.URevision)}, nil
	}
	return nil, err
}

func (o openH264) name() string { return o.label }

// decode makes a decoder of its own for each picture: nothing of one camera is left when the
// next one comes.
func (o openH264) decode(annexB [][]byte, size dimensions) (*frame, error) {
	d, err := newH264(size)
	if err != nil {
		return nil, err
	}
	defer d.close()
	var f *frame
	for i, b := range annexB {
		if f, err = d.next(b, i == len(annexB)-1); err != nil {
			return nil, err
		}
	}
	if f == nil {
		return nil, errors.New("libopenh264: the unit holds no whole picture")
	}
	for i := range f.plane {
		f.plane[i] = bytes.Clone(f.plane[i])
	}
	return f, nil
}

func (o openH264) open(size dimensions) (sequence, error) { return newH264(size) }

// h264Decoder is one decoder of the library.
type h264Decoder struct {
	dec  *openh264.ISVCDecoder
	size dimensions
}

func newH264(size dimensions) (*h264Decoder, error) {
	d := &h264Decoder{size: size}
	if r := openh264.WelsCreateDecoder(&d.dec); r != 0 || d.dec == nil {
		return nil, fmt.Errorf("libopenh264: no decoder (%d)", r)
	}
	quiet := openh264.WELS_LOG_QUIET
	d.dec.SetOption(openh264.DECODER_OPTION_TRACE_LEVEL, &quiet)
	param := openh264.SDecodingParam{EEcActiveIdc: openh264.ERROR_CON_DISABLE}
	param.SVideoProperty.Size = uint32(unsafe.Sizeof(param.SVideoProperty))
	param.SVideoProperty.EVideoBsType = openh264.VIDEO_BITSTREAM_AVC
	if r := d.dec.Initialize(&param); r != 0 {
		openh264.WelsDestroyDecoder(d.dec)
		return nil, fmt.Errorf("libopenh264: initialize: %d", r)
	}
	return d, nil
}

func (d *h264Decoder) close() {
	d.dec.Uninitialize()
	openh264.WelsDestroyDecoder(d.dec)
}

// next decodes one unit. The frame's memory is the decoder's. With the last one a picture that
// would be held back for reordering comes at once.
func (d *h264Decoder) next(annexB []byte, last bool) (*frame, error) {
	var planes [3][]byte
	var info openh264.SBufferInfo
	const pending = 1
	r := d.dec.DecodeFrameNoDelay(annexB, len(annexB), &planes, &info)
	if r != 0 && r != pending {
		return nil, fmt.Errorf("libopenh264: decode: state %#x", r)
	}
	if planes[0] == nil && last {
		if r := d.dec.FlushFrame(&planes, &info); r != 0 && r != pending {
			return nil, fmt.Errorf("libopenh264: flush: state %#x", r)
		}
	}
	if planes[0] == nil {
		return nil, nil
	}
	sys := info.UsrData_sSystemBuffer()
	f := &frame{width: int(sys.IWidth), height: int(sys.IHeight)}
	if f.width != d.size.width || f.height != d.size.height {
		return nil, fmt.Errorf("libopenh264: picture of %d x %d, announced as %d x %d", f.width, f.height, d.size.width, d.size.height)
	}
	f.stride = [3]int{int(sys.IStride[0]), int(sys.IStride[1]), int(sys.IStride[1])}
	for i, rows := range []int{f.height, (f.height + 1) / 2, (f.height + 1) / 2} {
		// The binding's slices end early for odd heights; the library's buffer does not.
		f.plane[i] = unsafe.Slice(unsafe.SliceData(planes[i]), rows*f.stride[i])
	}
	return f, nil
}

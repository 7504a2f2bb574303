package cas

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/hyperkube/hyperkube/tools/internal/httplimit"
)

// maxMessage bounds a message of the server. Servers send chunks of up to 4 MiB.
const maxMessage = 16 << 20 // bytes

// Tags of the fields ReadRequest.resource_name and ReadResponse.data, which are
// length-delimited.
const (
	resourceName = 1<<3 | 2
	data         = 10<<3 | 2
)

// readRequest encodes a ReadRequest.
func readRequest(name string) []byte {
	return append(binary.AppendUvarint([]byte{resourceName}, uint64(len(name))), name...)
}

// frame adds the prefix of a message: no compression, and its size.
func frame(message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
}

// stream is the data of a stream of ReadResponse.
type stream struct {
	response *http.Response
	rest     []byte // of the current message
}

func (s *stream) Close() error { return s.response.Body.Close() }

func (s *stream) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		message, err := s.next()
		if err != nil {
			return 0, err
		}
		if s.rest, err = readResponse(message); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// next returns the next message, or [io.EOF] if the call succeeded.
func (s *stream) next() ([]byte, error) {
	var prefix [5]byte
	if _, err := io.ReadFull(s.response.Body, prefix[:]); err == io.EOF {
		return nil, s.status()
	} else if err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(prefix[1:])
	if prefix[0] != 0 || size > maxMessage {
		return nil, fmt.Errorf("want messages of at most %d bytes without compression, got %d bytes, compression %d", maxMessage, size, prefix[0])
	}
	message := make([]byte, size)
	if _, err := io.ReadFull(s.response.Body, message); err != nil {
		return nil, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return message, nil
}

// status returns the error of the call, or [io.EOF].
func (s *stream) status() error {
	// A call without messages has the status in the headers.
	for _, h := range []http.Header{s.response.Trailer, s.response.Header} {
		switch code := h.Get("Grpc-Status"); code {
		case "":
		case "0":
			return io.EOF
		default:
			message, err := url.PathUnescape(h.Get("Grpc-Message"))
			if err != nil {
				message = h.Get("Grpc-Message")
			}
			if code == "5" {
				message = "not found: " + message
			}
			return errors.New(httplimit.Escape(fmt.Sprintf("gRPC status %s: %s", code, message)))
		}
	}
	return errors.New("response without gRPC status")
}

// readResponse returns the data of a ReadResponse.
func readResponse(message []byte) ([]byte, error) {
	if len(message) == 0 {
		return nil, nil
	}
	size, n := binary.Uvarint(message[1:])
	if message[0] != data || n <= 0 || size != uint64(len(message)-1-n) {
		return nil, errors.New("want a message google.bytestream.ReadResponse")
	}
	return message[1+n:], nil
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// call makes one call of each kind over one connection and writes a line for each.
func call(addr, authority string) error {
	creds, err := credentials.NewClientTLSFromFile(authority, "")
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(creds))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "x-sent", "a b", "x-sent-bin", "\x00\xff")
	for _, do := range []struct {
		name string
		run  func(context.Context, *grpc.ClientConn) (string, error)
	}{
		{"Unary", unary},
		{"Large", large},
		{"Gzip", compressed},
		{"ServerStream", serverStream},
		{"ClientStream", clientStream},
		{"Bidi", bidi},
		{"Refused", refused},
		{"Broken", broken},
		{"Endless", endless},
		{"Parallel", parallel},
	} {
		said, err := do.run(ctx, conn)
		if err != nil {
			return fmt.Errorf("%s: %w", do.name, err)
		}
		fmt.Printf("%s: %s\n", do.name, said)
	}
	return nil
}

func method(name string) string { return "/" + service + "/" + name }

func unary(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	var head, trail metadata.MD
	out := new(bytesValue)
	err := conn.Invoke(ctx, method("Unary"), wrapperspb.Bytes([]byte("tea")), out, grpc.Header(&head), grpc.Trailer(&trail))
	return fmt.Sprintf("%s %q %q %q", out.Value, head["x-head-bin"], trail["x-trail"], trail["x-trail-bin"]), err
}

// large sends more than the windows of flow control hold.
func large(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	sent := bytes.Repeat([]byte("\xff\x00 tea"), 100_000)
	out := new(bytesValue)
	err := conn.Invoke(ctx, method("Large"), wrapperspb.Bytes(sent), out)
	return fmt.Sprint(len(out.Value), bytes.Equal(sent, out.Value)), err
}

func compressed(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	out := new(bytesValue)
	err := conn.Invoke(ctx, method("Gzip"), wrapperspb.Bytes(bytes.Repeat([]byte("tea "), 1000)), out, grpc.UseCompressor(gzip.Name))
	return fmt.Sprint(len(out.Value)), err
}

// open starts a stream and sends one message.
func open(ctx context.Context, conn *grpc.ClientConn, name, text string) (grpc.ClientStream, error) {
	s, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method(name))
	if err != nil {
		return nil, err
	}
	return s, s.SendMsg(wrapperspb.Bytes([]byte(text)))
}

// receive gets n messages.
func receive(s grpc.ClientStream, n int) (string, error) {
	var all string
	for range n {
		m := new(bytesValue)
		if err := s.RecvMsg(m); err != nil {
			return all, err
		}
		all += string(m.Value) + ";"
	}
	return all, nil
}

// ended wants a code for the end of a stream, and returns what goes with it.
func ended(err error, code codes.Code) (string, error) {
	if code == codes.OK && err == io.EOF {
		return "", nil
	}
	if status.Code(err) != code {
		return "", fmt.Errorf("%w, want %v", err, code)
	}
	return fmt.Sprintf(" %v %s", code, status.Convert(err).Message()), nil
}

func serverStream(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	s, err := open(ctx, conn, "ServerStream", "cup")
	if err != nil {
		return "", err
	}
	if err := s.CloseSend(); err != nil {
		return "", err
	}
	got, err := receive(s, 3)
	if err != nil {
		return "", err
	}
	_, err = ended(s.RecvMsg(new(bytesValue)), codes.OK)
	return got, err
}

func clientStream(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	s, err := open(ctx, conn, "ClientStream", "a")
	if err != nil {
		return "", err
	}
	for _, text := range []string{"b", "", "c"} {
		if err := s.SendMsg(wrapperspb.Bytes([]byte(text))); err != nil {
			return "", err
		}
	}
	if err := s.CloseSend(); err != nil {
		return "", err
	}
	got, err := receive(s, 1)
	if err != nil {
		return "", err
	}
	_, err = ended(s.RecvMsg(new(bytesValue)), codes.OK)
	return got, err
}

// bidi sends a message only when the last is answered: a proxy that holds anything back hangs it.
func bidi(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	s, err := open(ctx, conn, "Bidi", "0")
	if err != nil {
		return "", err
	}
	all, err := receive(s, 1)
	for i := 1; i < 5 && err == nil; i++ {
		if err = s.SendMsg(wrapperspb.Bytes(fmt.Append(nil, i))); err == nil {
			var got string
			got, err = receive(s, 1)
			all += got
		}
	}
	if err = errors.Join(err, s.CloseSend()); err != nil {
		return "", err
	}
	_, err = ended(s.RecvMsg(new(bytesValue)), codes.OK)
	return all, err
}

// refused gets a status and nothing else: it is in the header, which ends the stream.
func refused(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	return ended(conn.Invoke(ctx, method("Refused"), wrapperspb.Bytes([]byte("x")), new(bytesValue)), codes.NotFound)
}

// broken gets messages and then a status.
func broken(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	s, err := open(ctx, conn, "Broken", "x")
	if err != nil {
		return "", err
	}
	got, err := receive(s, 3)
	if err != nil {
		return "", err
	}
	said, err := ended(s.RecvMsg(new(bytesValue)), codes.DataLoss)
	return got + said, err
}

// endless cancels a stream that goes on, and asks the server whether it knows.
func endless(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	stream, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := open(stream, conn, "Endless", "e")
	if err != nil {
		return "", err
	}
	got, err := receive(s, 3)
	if err != nil {
		return "", err
	}
	cancel()
	out := new(bytesValue)
	err = conn.Invoke(ctx, method("Cancelled"), new(bytesValue), out)
	return got + string(out.Value), err
}

// parallel makes many calls at once.
func parallel(ctx context.Context, conn *grpc.ClientConn) (string, error) {
	const n = 50
	errs := make(chan error, n)
	for i := range n {
		go func() {
			out := new(bytesValue)
			err := conn.Invoke(ctx, method("Parallel"), wrapperspb.Bytes(fmt.Append(nil, i)), out)
			if err == nil && string(out.Value) != fmt.Sprint(i) {
				err = fmt.Errorf("%s in place of %d", out.Value, i)
			}
			errs <- err
		}()
	}
	var all error
	for range n {
		all = errors.Join(all, <-errs)
	}
	return fmt.Sprint(n), all
}

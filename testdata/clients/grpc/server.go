package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // serves calls that are compressed with it
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const service = "flowkit.Test"

type bytesValue = wrapperspb.BytesValue

func serve(file string) error {
	cert, err := certificate(file)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	cancelled := make(chan struct{}, 1)
	s := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(cert)))
	unary := func(name string, h func(ctx context.Context, in *bytesValue) (*bytesValue, error)) grpc.MethodDesc {
		return grpc.MethodDesc{MethodName: name, Handler: func(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := new(bytesValue)
			if err := dec(in); err != nil {
				return nil, err
			}
			return h(ctx, in)
		}}
	}
	stream := func(name string, h func(s grpc.ServerStream) error) grpc.StreamDesc {
		return grpc.StreamDesc{StreamName: name, ServerStreams: true, ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error { return h(s) }}
	}
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			unary("Unary", echo),
			unary("Large", echo),
			unary("Gzip", echo),
			unary("Parallel", echo),
			unary("Refused", func(context.Context, *bytesValue) (*bytesValue, error) {
				return nil, status.Error(codes.NotFound, "no such tea: größe 100%")
			}),
			unary("Cancelled", func(ctx context.Context, _ *bytesValue) (*bytesValue, error) {
				select {
				case <-cancelled:
					return wrapperspb.Bytes([]byte("yes")), nil
				case <-ctx.Done():
					return nil, ctx.Err()
				}
			}),
		},
		Streams: []grpc.StreamDesc{
			stream("ServerStream", countdown),
			stream("ClientStream", collect),
			stream("Bidi", pingPong),
			stream("Broken", func(s grpc.ServerStream) error {
				if err := countdown(s); err != nil {
					return err
				}
				return status.Error(codes.DataLoss, "the rest is lost")
			}),
			stream("Endless", func(s grpc.ServerStream) error {
				if err := countdown(s); err != nil {
					return err
				}
				<-s.Context().Done()
				cancelled <- struct{}{}
				return s.Context().Err()
			}),
		},
	}, nil)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		s.Stop()
	}()
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	return s.Serve(l)
}

// echo answers with the message and the metadata of the call: some in the header, some in the trailer.
func echo(ctx context.Context, in *bytesValue) (*bytesValue, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if err := grpc.SetHeader(ctx, metadata.MD{"x-head-bin": md["x-sent-bin"]}); err != nil {
		return nil, err
	}
	if err := grpc.SetTrailer(ctx, metadata.MD{"x-trail": md["x-sent"], "x-trail-bin": md["x-sent-bin"]}); err != nil {
		return nil, err
	}
	return in, nil
}

// countdown answers one message with three.
func countdown(s grpc.ServerStream) error {
	in := new(bytesValue)
	if err := s.RecvMsg(in); err != nil {
		return err
	}
	for i := range 3 {
		if err := s.SendMsg(wrapperspb.Bytes(fmt.Appendf(nil, "%s %d", in.Value, i))); err != nil {
			return err
		}
	}
	return nil
}

// collect answers all messages with one.
func collect(s grpc.ServerStream) error {
	var all []byte
	for {
		in := new(bytesValue)
		err := s.RecvMsg(in)
		if err == io.EOF {
			return s.SendMsg(wrapperspb.Bytes(all))
		}
		if err != nil {
			return err
		}
		all = append(all, in.Value...)
	}
}

// pingPong answers each message at once.
func pingPong(s grpc.ServerStream) error {
	for {
		in := new(bytesValue)
		err := s.RecvMsg(in)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.SendMsg(wrapperspb.Bytes(append([]byte("pong "), in.Value...))); err != nil {
			return err
		}
	}
}

// certificate makes one for 0.0.0.0 and writes it to a file.
func certificate(file string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4zero},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

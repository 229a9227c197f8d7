package starlark

import (
	"errors"
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"flowkit/flowfile"
	"flowkit/replay"
	"flowkit/transform/starlark/lib"
)

// connsValue is what hooks of connections are given, called data in mitmproxy: of all of
// them, what the event has.
type connsValue struct {
	object
	e    *replay.Event
	over bool // the hook returned
}

var _ starlark.HasSetField = (*connsValue)(nil)

var errConnOver = errors.New("the connection was handed on when its hook returned; keep what you need of it, not itself")

func (v *connsValue) end() { v.over, v.e = true, nil }

func (v *connsValue) check() error {
	if v.over {
		return errConnOver
	}
	return nil
}

func (v *connsValue) String() string        { return "<data>" }
func (v *connsValue) Type() string          { return "data" }
func (v *connsValue) Hash() (uint32, error) { return unhashable(v.Type()) }

func (v *connsValue) AttrNames() []string {
	names := []string{"client", "conn", "context", "server"}
	if v.over || v.e.Conns == nil {
		return names
	}
	switch c := v.e.Conns; {
	case c.Hello != nil:
		names = append(names, "client_hello", "establish_server_tls_first", "ignore_connection")
	case c.Next != nil:
		names = append(names, "data_client", "data_server", "ignore_connection", "protocol")
	case c.Auth != nil:
		names = append(names, "client_conn", "password", "username", "valid")
	}
	slices.Sort(names)
	return names
}

func (v *connsValue) client() starlark.Value { return v.conn(true) }
func (v *connsValue) server() starlark.Value { return v.conn(false) }

// conn returns a side's connection, None where there is none.
func (v *connsValue) conn(client bool) starlark.Value {
	if v.e.Conns == nil || *v.place(client) == nil {
		return starlark.None
	}
	return &liveConn{data: v, isClient: client}
}

func (v *connsValue) place(client bool) **flowfile.Conn {
	if client {
		return &v.e.Conns.Client
	}
	return &v.e.Conns.Server
}

// ofServer tells whether the event is about the connection to the server.
func (v *connsValue) ofServer() bool {
	switch v.e.Hook {
	case replay.TLSStartServer, replay.TLSEstablishedServer, replay.TLSFailedServer,
		replay.ServerConnect, replay.ServerConnected, replay.ServerDisconnected, replay.ServerConnectError:
		return true
	}
	return false
}

func (v *connsValue) Attr(name string) (starlark.Value, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	switch name {
	case "client", "client_conn":
		return v.client(), nil
	case "server":
		return v.server(), nil
	case "conn":
		return v.conn(!v.ofServer()), nil
	case "context":
		return v, nil // it has client and server, too
	}
	c := v.e.Conns
	switch {
	case c == nil:
	case c.Hello != nil:
		return helloAttr(c, name), nil
	case c.Next != nil:
		return nextAttr(c, name), nil
	case c.Auth != nil:
		return authAttr(c.Auth, name), nil
	}
	return nil, nil
}

func helloAttr(c *replay.Conns, name string) starlark.Value {
	switch name {
	case "client_hello":
		return clientHello(c.Hello)
	case "ignore_connection":
		return starlark.Bool(c.Ignore)
	case "establish_server_tls_first":
		return starlark.Bool(c.ServerFirst)
	}
	return nil
}

func clientHello(h *replay.ClientHello) starlark.Value {
	return &record{typ: "ClientHello", names: []string{"alpn_protocols", "cipher_suites", "sni"}, get: func(name string) starlark.Value {
		switch name {
		case "sni":
			return optional(h.SNI)
		case "alpn_protocols":
			return list(h.ALPN, func(s string) starlark.Value { return lib.Bytes(s) })
		case "cipher_suites":
			return list(h.Ciphers, func(n uint16) starlark.Value { return starlark.MakeInt(int(n)) })
		}
		return nil
	}}
}

func nextAttr(c *replay.Conns, name string) starlark.Value {
	switch name {
	case "protocol":
		return starlark.String(c.Next.Protocol)
	case "ignore_connection":
		return starlark.Bool(c.Ignore)
	case "data_client", "data_server":
		data := c.Next.FromClient
		if name == "data_server" {
			data = c.Next.FromServer
		}
		return method(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return lib.Bytes(data), starlark.UnpackArgs(name, args, kwargs)
		})
	}
	return nil
}

func authAttr(a *replay.Auth, name string) starlark.Value {
	switch name {
	case "username":
		return starlark.String(a.User)
	case "password":
		return starlark.String(a.Password)
	case "valid":
		return starlark.Bool(a.Valid)
	}
	return nil
}

// protocols are what a script may choose in next_layer.
var protocols = []string{"tls", "http", "tcp", "udp", "dns"}

func (v *connsValue) SetField(name string, val starlark.Value) error {
	if err := v.check(); err != nil {
		return err
	}
	c := v.e.Conns
	switch {
	case c == nil:
	case name == "ignore_connection" && (c.Hello != nil || c.Next != nil):
		return setBool(val, name, func(b bool) { c.Ignore = b })
	case name == "establish_server_tls_first" && c.Hello != nil:
		return setBool(val, name, func(b bool) { c.ServerFirst = b })
	case name == "valid" && c.Auth != nil:
		return setBool(val, name, func(b bool) { c.Auth.Valid = b })
	case name == "protocol" && c.Next != nil:
		s, ok := starlark.AsString(val)
		if !ok || !slices.Contains(protocols, s) {
			return fmt.Errorf("protocol must be one of %q, not %s", protocols, val)
		}
		c.Next.Protocol = s
		return nil
	}
	return readOnly(v, name)
}

// liveConn is a connection while it lives: a few of its fields can be set.
type liveConn struct {
	object
	data     *connsValue
	isClient bool
}

var _ starlark.HasSetField = (*liveConn)(nil)

func (v *liveConn) shown() *record { return connValue(*v.data.place(v.isClient), v.isClient).(*record) }

func (v *liveConn) String() string        { return "<" + v.Type() + ">" }
func (v *liveConn) Hash() (uint32, error) { return unhashable(v.Type()) }

func (v *liveConn) Type() string {
	if v.isClient {
		return "Client"
	}
	return "Server"
}

func (v *liveConn) AttrNames() []string {
	if v.isClient {
		return clientAttrs
	}
	return serverAttrs
}

func (v *liveConn) Attr(name string) (starlark.Value, error) {
	if err := v.data.check(); err != nil {
		return nil, err
	}
	return v.shown().Attr(name)
}

// SetField puts a changed copy in place of the connection, which flows share.
func (v *liveConn) SetField(name string, val starlark.Value) error {
	if err := v.data.check(); err != nil {
		return err
	}
	at := v.data.place(v.isClient)
	n := **at
	var err error
	switch {
	case name == "error" && val == starlark.None:
		n.Error = ""
	case name == "error":
		err = setText(val, name, func(s string) { n.Error = s })
	case name == "sni" && val == starlark.None:
		n.SNI = ""
	case name == "sni":
		err = setText(val, name, func(s string) { n.SNI = s })
	case name == "address" && !v.isClient:
		n.Address, err = addrOf(name, val)
	case name == "via" && !v.isClient && val == starlark.None:
		n.Via = nil
	case name == "via" && !v.isClient:
		n.Via, err = viaOf(val)
	default:
		return readOnly(v, name)
	}
	if err == nil {
		*at = &n
	}
	return err
}

func addrOf(name string, val starlark.Value) (*flowfile.Addr, error) {
	if val == starlark.None {
		return nil, nil
	}
	t, ok := val.(starlark.Tuple)
	if ok && len(t) >= 2 {
		host, isText := starlark.AsString(t[0])
		port, err := starlark.AsInt32(t[1])
		if isText && err == nil && port >= 0 && port <= 65535 {
			return &flowfile.Addr{Host: host, Port: port}, nil
		}
	}
	return nil, typeError(name, "(host, port) or None", val)
}

func viaOf(val starlark.Value) (*flowfile.Via, error) {
	t, ok := val.(starlark.Tuple)
	if ok && len(t) == 2 {
		if scheme, isText := starlark.AsString(t[0]); isText {
			if a, err := addrOf("via", t[1]); err == nil && a != nil {
				return &flowfile.Via{Scheme: scheme, Addr: *a}, nil
			}
		}
	}
	return nil, typeError("via", `("http", (host, port)) or None`, val)
}

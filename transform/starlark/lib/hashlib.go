package lib

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

var hashes = map[string]func() hash.Hash{
	"md5":    md5.New,
	"sha1":   sha1.New,
	"sha224": sha256.New224,
	"sha256": sha256.New,
	"sha384": sha512.New384,
	"sha512": sha512.New,
}

func hashFuncs() map[string]builtinFunc {
	funcs := map[string]builtinFunc{"new": hashNew}
	for name := range hashes {
		funcs[name] = func(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var data textArg
			if err := starlark.UnpackArgs(fn, args, kwargs, "data?", &data); err != nil {
				return nil, err
			}
			return newDigest(name, data.s), nil
		}
	}
	return funcs
}

func hashNew(fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name string
	var data textArg
	if err := starlark.UnpackArgs(fn, args, kwargs, "name", &name, "data?", &data); err != nil {
		return nil, err
	}
	name = strings.ToLower(name)
	if hashes[name] == nil {
		known := strings.Join(slices.Sorted(maps.Keys(hashes)), ", ")
		return nil, fmt.Errorf("%s: unsupported hash type %q (known: %s)", fn, name, known)
	}
	return newDigest(name, data.s), nil
}

// digest is a hash object of hashlib. Frozen, it is safe for concurrent use.
type digest struct {
	name   string
	hash   hash.Hash
	frozen bool
}

var _ starlark.HasAttrs = (*digest)(nil)

func newDigest(name, data string) *digest {
	d := &digest{name: name, hash: hashes[name]()}
	d.hash.Write(Bytes(data).View())
	return d
}

func (d *digest) String() string      { return fmt.Sprintf("<%s hash object>", d.name) }
func (*digest) Type() string          { return "hash" }
func (*digest) Truth() starlark.Bool  { return true }
func (*digest) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: hash") }

func (d *digest) Freeze() {
	if !d.frozen {
		d.frozen = true
	}
}

// Attr implements starlark.HasAttrs.
func (d *digest) Attr(name string) (starlark.Value, error) {
	switch name {
	case "block_size":
		return starlark.MakeInt(d.hash.BlockSize()), nil
	case "digest_size":
		return starlark.MakeInt(d.hash.Size()), nil
	case "name":
		return starlark.String(d.name), nil
	}
	return digestMethods.attr(d, name)
}

// AttrNames implements starlark.HasAttrs.
func (*digest) AttrNames() []string {
	return append(digestMethods.names(), "block_size", "digest_size", "name")
}

type digestFunc = func(d *digest, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

var digestMethods = methodsOf(map[string]digestFunc{
	"digest":    digestSum(func(sum []byte) starlark.Value { return BytesView(sum) }),
	"hexdigest": digestSum(func(sum []byte) starlark.Value { return starlark.String(hex.EncodeToString(sum)) }),
	"update": func(d *digest, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var data textArg
		if err := starlark.UnpackArgs(fn, args, kwargs, "data", &data); err != nil {
			return nil, err
		}
		if d.frozen {
			return nil, &FrozenError{Op: "update", Type: d.Type()}
		}
		d.hash.Write(Bytes(data.s).View())
		return starlark.None, nil
	},
})

func digestSum(form func(sum []byte) starlark.Value) digestFunc {
	return func(d *digest, fn string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := starlark.UnpackArgs(fn, args, kwargs); err != nil {
			return nil, err
		}
		return form(d.hash.Sum(nil)), nil
	}
}

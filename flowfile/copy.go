package flowfile

// Copy returns a flow that shares bytes, origin and marks with f: changes to one are not
// seen in the other. It is cheap; Clone is for keeping a flow without its buffer.
func (f *Flow) Copy() *Flow {
	n := *f
	if f.request != nil {
		r := *f.request
		r.trailers = copyHeaders(r.trailers)
		n.request = &r
	}
	if f.response != nil {
		r := *f.response
		r.trailers = copyHeaders(r.trailers)
		n.response = &r
	}
	return &n
}

func copyHeaders(h *Headers) *Headers {
	if h == nil {
		return nil
	}
	n := *h
	return &n
}

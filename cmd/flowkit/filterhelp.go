package main

import "github.com/spf13/cobra"

// newFilterHelp is the topic "flowkit help filter".
func newFilterHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "filter",
		Short: "The filter language",
		Long: `A filter chooses flows. It is mitmproxy's language:

  ~u REGEX   URL                      ~h REGEX   a header line, "Name: value"
  ~d REGEX   domain                   ~hq ~hs    … of the request, of the response
  ~m REGEX   method                   ~b REGEX   body, decoded, and messages
  ~c CODE    status code              ~bq ~bs    … of the request, of the response
  ~t REGEX   content type             ~src ~dst  addresses, "host:port"
  ~s         has a response           ~q         has none
  ~e         ended in an error        ~a         CSS, JavaScript, image, font
  ~http ~websocket ~tcp ~udp ~dns     kinds of flows
  ~marked  ~marker REGEX  ~comment REGEX  ~meta REGEX  ~replay ~replayq ~replays  ~all

A word alone is a REGEX for the URL. Put expressions together with ! (not), & (and), | (or)
and ( ), with spaces around & and |; expressions side by side must all match. REGEX is RE2
syntax and does not tell upper from lower case; quote it when it holds spaces, quotes or
parentheses: ~h "x-id: (a|b)".

  flowkit ls -r in.flow '~d example.com & ~c 500'
  flowkit transform -s x.star -r in.flow -w out.flow '!(~a | ~m OPTIONS)'`,
	}
}

// Fetches through a proxy with undici and prints, as JSON, what came back.
//
//   node fetch.mjs PROXY ORIGIN tunnel|absolute
//
// tunnel asks for a CONNECT even to an http origin; absolute sends such requests to the proxy in absolute-form.
import { createHash } from 'node:crypto'
import { ProxyAgent, fetch } from 'undici'

const [proxy, origin, form] = process.argv.slice(2)
const dispatcher = new ProxyAgent({ uri: proxy, proxyTunnel: form === 'tunnel' })

// ask returns status and body of a response; the body of a large one as its hash.
async function ask (path, options) {
  const r = await fetch(origin + path, { dispatcher, ...options })
  const body = Buffer.from(await r.arrayBuffer())
  const text = body.length > 1000 ? createHash('sha256').update(body).digest('hex') : body.toString()
  return { path, status: r.status, text }
}

const results = []
const page = await ask('/page') // names what else there is to fetch
results.push(page)
for (const path of JSON.parse(page.text)) results.push(await ask(path))
results.push(await ask('/post', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ tea: 'Größe', n: 3 })
}))
results.push(await ask('/upload', {
  method: 'POST',
  duplex: 'half', // of no known length: chunked
  body: new ReadableStream({
    async start (controller) {
      for (let i = 0; i < 3; i++) {
        controller.enqueue(Buffer.from(`part ${i};`))
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      controller.close()
    }
  })
}))
results.push(await ask('/removed', { method: 'DELETE' }))
const parallel = Array.from({ length: 20 }, (_, i) => ask(`/parallel/${i}`, { method: 'PUT', body: `body ${i}` }))
results.push(...await Promise.all(parallel))
await dispatcher.close()
console.log(JSON.stringify(results))

// What a page does over the network, step by step. The results go to the origin, which looks at them.
const results = {}

async function step (name, run) {
  const late = new Promise((resolve, reject) => setTimeout(() => reject(new Error('takes too long')), 5000))
  try {
    results[name] = await Promise.race([run(), late])
  } catch (e) {
    results[name] = `${e}`
  }
}

async function said (response) {
  const r = await response
  return `${r.status} ${await r.text()}`
}

await step('style', async () => getComputedStyle(document.body).color)

await step('image', async () => {
  const image = document.querySelector('img')
  await image.decode()
  return `${image.naturalWidth}x${image.naturalHeight}`
})

await step('post', () => said(fetch('api/post', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ tea: 'größe' })
})))

await step('missing', () => said(fetch('api/missing')))

// The second time the browser asks whether what it has is still good, and gets a 304.
await step('cached', async () => [await said(fetch('api/cached')), await said(fetch('api/cached', { cache: 'no-cache' }))].join('; '))

if (location.protocol === 'https:') { // browsers stream requests over HTTP/2 only
  await step('stream', () => said(fetch('api/stream', {
    method: 'POST',
    duplex: 'half',
    body: new ReadableStream({
      async start (controller) {
        for (let i = 0; i < 3; i++) {
          controller.enqueue(new TextEncoder().encode(`part ${i};`))
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        controller.close()
      }
    })
  })))
}

await step('parallel', async () => {
  const all = await Promise.all(Array.from({ length: 30 }, (_, i) => said(fetch(`api/parallel/${i}`))))
  return all.filter((text, i) => text === `200 parallel ${i}`).length
})

await step('abort', async () => {
  const abort = new AbortController()
  const r = await fetch('api/endless', { signal: abort.signal })
  const { value } = await r.body.getReader().read()
  abort.abort()
  return new TextDecoder().decode(value)
})

await step('events', () => new Promise((resolve, reject) => {
  const source = new EventSource('events')
  let all = ''
  source.onerror = () => reject(new Error('events failed'))
  source.onmessage = (e) => { all += `${e.lastEventId}:${e.data};` }
  source.addEventListener('end', () => {
    source.close()
    resolve(all)
  })
}))

await step('websocket', () => new Promise((resolve, reject) => {
  const ws = new WebSocket(new URL('ws', location.href).href.replace('http', 'ws'))
  ws.binaryType = 'arraybuffer'
  const sent = ['tea', '☕'.repeat(20000), new Uint8Array([0, 255, 1])]
  const got = []
  ws.onopen = () => ws.send(sent[0])
  ws.onerror = () => reject(new Error('the WebSocket failed'))
  ws.onmessage = (e) => {
    got.push(typeof e.data === 'string' ? `text ${e.data.length}` : `binary ${new Uint8Array(e.data)}`)
    if (got.length < sent.length) ws.send(sent[got.length])
    else ws.close(3001, 'enough')
  }
  ws.onclose = (e) => resolve([...got, `${e.code} ${e.reason}`].join('; '))
}))

await fetch('results', { method: 'POST', body: JSON.stringify(results) })
await fetch('end') // the browser is killed for it

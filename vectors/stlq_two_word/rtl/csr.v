`timescale 1ns / 1ps
// csr: the configuration words of one layer, written before start; one 32-bit word per register, byte address 4*index.
// Index order is the file order of csr.hex. Above them: CTRL (write bit 0: start), STATUS (bit 0 busy, bit 1 done),
// CYCLES (cycle in which done rose, low and high word), EVENTS (accumulator overflow events).
module csr (
    input  wire        clk,
    input  wire        rst,
    input  wire        we,
    input  wire [7:0]  addr,
    input  wire [31:0] wdata,
    output reg  [31:0] rdata,
    output wire        start,           // wire: high in the cycle whose edge samples the write of CTRL
    input  wire        busy,
    input  wire        done,
    input  wire [47:0] cycles,
    input  wire [31:0] events,
    output wire        two_word, dma,
    output wire [15:0] cot, oh, ow, kh, kw, cit, ih, iw,
    output wire [15:0] stride_y, stride_x, dil_y, dil_x,
    output wire signed [17:0] pad_top, pad_left,
    output wire [31:0] base, step_kx, step_ky, step_ox, step_oy, step_cot, words,
    output wire [6:0]  oc_tail,
    output wire signed [31:0] lo, hi
);
    localparam WORDS = 25;

    reg [32*WORDS-1:0] word;            // one vector, so that reset and read are one line each
    integer i;

    wire hit = (addr[7:2] < WORDS);
    assign start = we && (addr == 8'h80) && wdata[0] && !busy;

    always @(posedge clk) begin
        if (rst) word <= {32*WORDS{1'b0}};
        else if (we && hit && !busy)
            for (i = 0; i < WORDS; i = i + 1)
                if (addr[7:2] == i[5:0]) word[32*i +: 32] <= wdata;
    end

    always @* begin
        case (addr[7:2])
            6'h20:   rdata = 32'd0;
            6'h21:   rdata = {30'd0, done, busy};
            6'h22:   rdata = cycles[31:0];
            6'h23:   rdata = {16'd0, cycles[47:32]};
            6'h24:   rdata = events;
            default: rdata = hit ? word[32*addr[7:2] +: 32] : 32'd0;
        endcase
    end

    assign {dma, two_word} = word[2:1];     // CFG; its bit 0 says depthwise, for the host: the steps below make it so
    assign cot      = word[32*1  +: 16];
    assign oh       = word[32*2  +: 16];
    assign ow       = word[32*3  +: 16];
    assign kh       = word[32*4  +: 16];
    assign kw       = word[32*5  +: 16];
    assign cit      = word[32*6  +: 16];
    assign ih       = word[32*7  +: 16];
    assign iw       = word[32*8  +: 16];
    assign stride_y = word[32*9  +: 16];
    assign stride_x = word[32*10 +: 16];
    assign dil_y    = word[32*11 +: 16];
    assign dil_x    = word[32*12 +: 16];
    assign pad_top  = word[32*13 +: 18];
    assign pad_left = word[32*14 +: 18];
    assign base     = word[32*15 +: 32];
    assign step_kx  = word[32*16 +: 32];
    assign step_ky  = word[32*17 +: 32];
    assign step_ox  = word[32*18 +: 32];
    assign step_oy  = word[32*19 +: 32];
    assign step_cot = word[32*20 +: 32];
    assign words    = word[32*21 +: 32];
    assign oc_tail  = word[32*22 +: 7];
    assign lo       = word[32*23 +: 32];
    assign hi       = word[32*24 +: 32];
endmodule

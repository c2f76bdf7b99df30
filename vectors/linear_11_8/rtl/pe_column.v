`timescale 1ns / 1ps
// pe_column: the TN multipliers, adder tree and accumulator of one output channel.
//   c+1 x, w   c+2 products   c+3 tree   c+4 acc (after the pixel's last beat: complete)
// LOG = 0: products are x*w.  LOG = 1: w is a code of sign and power of two, E = 2^(W-1); the product is
// 0 for code 0, else x << (E-|w|) with the sign of w: a shift, no multiplier.
// The tree is exact. The accumulator's rule (SAT = 0 wrap, 1 saturate) applies once per beat to bias-or-acc + tree.
module pe_column #(
    parameter TN  = 16,
    parameter A   = 11,                 // bits of an input lane
    parameter XS  = 1,                  // input lanes are signed
    parameter W   = 8,                  // bits of a weight
    parameter LOG = 0,
    parameter ACC = 32,
    parameter SAT = 0
) (
    input  wire                  clk,
    input  wire [TN*A-1:0]       x,     // c+1
    input  wire [TN*W-1:0]       w,     // c+1
    input  wire                  valid3,// c+3: a beat is in the tree register
    input  wire                  first3,// c+3: it is the first of its pixel
    input  wire signed [ACC-1:0] bias3, // c+3
    output reg  signed [ACC-1:0] acc,   // c+4
    output reg                   event4 // c+4: the exact sum of this beat left the accumulator
);
    localparam E    = (LOG != 0) ? (1 << (W-1)) : W;
    localparam PW   = A + 1 + E;                             // holds every product
    localparam TW   = PW + $clog2(TN);
    localparam SW   = ((ACC > TW) ? ACC : TW) + 1;           // holds acc + tree exactly

    reg [TN*PW-1:0]     product;
    reg signed [TW-1:0] tree;

    genvar i;
    generate
        for (i = 0; i < TN; i = i + 1) begin : lane
            wire               sign = (XS != 0) && x[i*A+A-1];
            wire signed [A:0]  xi   = {sign, x[i*A +: A]};
            wire [W-1:0]       wi   = w[i*W +: W];
            if (LOG != 0) begin : g_log
                wire [W-1:0]         size  = wi[W-1] ? (~wi + 1'b1) : wi;        // |w|, 1..E
                wire [W-1:0]         shift = {1'b1, {(W-1){1'b0}}} - size;       // E - |w|
                wire signed [PW-1:0] wide  = xi;
                wire signed [PW-1:0] moved = wide <<< shift;
                wire signed [PW-1:0] p     = (wi == {W{1'b0}}) ? {PW{1'b0}} : wi[W-1] ? -moved : moved;
                always @(posedge clk) product[i*PW +: PW] <= p;
            end else begin : g_linear
                wire signed [W-1:0]  ws = wi;
                wire signed [PW-1:0] p  = xi * ws;
                always @(posedge clk) product[i*PW +: PW] <= p;
            end
        end
    endgenerate

    reg signed [TW-1:0] sum;
    integer k;
    always @* begin
        sum = {TW{1'b0}};
        for (k = 0; k < TN; k = k + 1) sum = sum + $signed(product[k*PW +: PW]);
    end
    always @(posedge clk) tree <= sum;

    wire signed [SW-1:0]  start = first3 ? bias3 : acc;
    wire signed [SW-1:0]  exact = start + tree;
    wire                  fits  = (exact[SW-1:ACC-1] == {(SW-ACC+1){exact[SW-1]}});
    wire        [ACC-1:0] end_  = {exact[SW-1], {(ACC-1){~exact[SW-1]}}};

    always @(posedge clk) begin
        event4 <= valid3 && !fits;
        if (valid3) acc <= (SAT != 0 && !fits) ? end_ : exact[ACC-1:0];
    end
endmodule
